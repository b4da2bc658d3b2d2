#include "processors/rankers/listed.h"

#include <utility>

#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

// The entries to answer with, from the top of a list.
std::vector<RankedEntry> top_of(Metric metric, const Query& query, const ReadState& state) {
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0) return {};
  Picks picks(matcher, query.limit);
  matcher.list(metric).for_each([&](const RankedEntry& entry) { return picks.offer(entry); });
  return std::move(picks.items());
}

// Scores by one number that `score` reads off an item's counts.
template <class F>
Ranked rank_by_one(Metric metric, const char* part, const char* level, const char* algorithm,
                   const Query& query, const ReadState& state, F&& score) {
  Ranked out{{}, level, algorithm};
  for (const RankedEntry& entry : top_of(metric, query, state)) {
    Scored scored{entry.item, score(entry), {}};
    if (query.explain) scored.parts = {{part, scored.score}};
    out.items.push_back(std::move(scored));
  }
  sort_by_score(out.items);
  return out;
}

}  // namespace

Ranked rank_popular(const Query& query, const ReadState& state) {
  Ranked out{{}, "popular", "popular"};
  for (const RankedEntry& entry : top_of(Metric::kPopular, query, state)) {
    out.items.push_back(score_popular(entry.item, query, state));
  }
  sort_by_score(out.items);
  return out;
}

Ranked rank_top_rated(const Query& query, const ReadState& state) {
  return rank_by_one(Metric::kTopRated, "average_rating", "popular", "top_rated", query, state,
                     [](const RankedEntry& entry) { return entry.score; });
}

Ranked rank_most_watched(const Query& query, const ReadState& state) {
  return rank_by_one(Metric::kMostWatched, "watchers", "popular", "most_watched", query, state,
                     [](const RankedEntry& entry) { return entry.score; });
}

Ranked rank_trending(const Query& query, const ReadState& state) {
  return rank_by_one(
      Metric::kTrending, "trend", "trending", "trending", query, state,
      [&](const RankedEntry& entry) {
        return state.counts(entry.item).trend[0].value(query.now, state.options.short_half_life_ms);
      });
}

Ranked rank_recent(const Query& query, const ReadState& state) {
  return rank_by_one(Metric::kRecent, "appeared", "recent", "recent", query, state,
                     [](const RankedEntry& entry) { return entry.score; });
}

}  // namespace millrace::processors
