#include "processors/rankers/feed.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "processors/rankers/common.h"
#include "processors/rankers/disfavour.h"
#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kMaxCategories = 10;  // candidates come from a person's most preferred ones

// Stage 1: what the person prefers.
struct Interests {
  std::vector<state::NameWeight> categories;  // strongest first
  NumberSet category_set;
  NumberSet tag_set;
};

Interests interests_of(const Who& who, const ReadState& state) {
  Interests out;
  if (who.known == nullptr) {
    auto interest = static_cast<std::int32_t>(state.first_genres.size());
    for (const std::uint32_t genre : state.first_genres) {
      out.categories.push_back({genre, 0, interest--});
      out.category_set.insert(genre);
    }
    return out;
  }
  const auto profile = fresh_profile(*who.known->view.person, who.known->view.profile,
                                     who.known->index_of, *state.catalog);
  const Disfavour disfavour = disfavour_of(*who.known, state);
  for (state::NameWeight row : profile->categories) {
    row.interest -= static_cast<std::int32_t>(disfavour.of_category(row.name));
    if (row.interest <= 0) continue;
    out.categories.push_back(row);
    out.category_set.insert(row.name);
  }
  for (const state::NameWeight& row : profile->tags) {
    if (row.interest > static_cast<std::int32_t>(disfavour.of_tag(row.name))) {
      out.tag_set.insert(row.name);
    }
  }
  // Among equals by text: numbers of names differ from process to process.
  const auto& names = state.names->categories;
  std::sort(out.categories.begin(), out.categories.end(), [&](const auto& a, const auto& b) {
    return a.interest != b.interest ? a.interest > b.interest
                                    : names.name(a.name) < names.name(b.name);
  });
  if (out.categories.size() > kMaxCategories) out.categories.resize(kMaxCategories);
  return out;
}

void take(Picks& pool, RankedList::Cursor& from, std::size_t until) {
  while (pool.items().size() < until && !from.done()) {
    pool.offer(*from);
    from.next();
  }
}

void take_interests(Picks& pool, const Interests& interests, const Matcher& matcher,
                    std::size_t until) {
  std::vector<RankedList::Cursor> cursors;
  std::int64_t total = 0;
  for (const state::NameWeight& row : interests.categories) {
    cursors.emplace_back(matcher.list(Metric::kPopular, matcher.kind(), row.name));
    total += row.interest;
  }
  // Each category its share first, then what is left from the strongest on.
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    const auto share = static_cast<std::size_t>(
        (static_cast<std::int64_t>(until) * interests.categories[i].interest + total - 1) / total);
    take(pool, cursors[i], std::min(until, pool.items().size() + share));
  }
  for (auto& cursor : cursors) take(pool, cursor, until);
}

// Stage 2: half of interest, a quarter each trending and recent; short of that, popular ones.
Picks candidates(const Query& query, const Interests& interests, const Matcher& matcher,
                 const ReadState& state) {
  const std::size_t size = std::max(state.options.feed_candidates, query.limit);
  Picks pool(matcher, size);
  const auto list = [&](Metric metric) { return RankedList::Cursor(matcher.list(metric)); };
  take_interests(pool, interests, matcher, size / 2);
  auto trending = list(Metric::kTrending);
  take(pool, trending, pool.items().size() + size / 4);
  auto recent = list(Metric::kRecent);
  take(pool, recent, std::min(size, pool.items().size() + size / 4));
  auto popular = list(Metric::kPopular);
  take(pool, popular, std::max(size / 2, query.limit));
  return pool;
}

constexpr std::uint64_t bit(BuiltIn type) { return std::uint64_t{1} << static_cast<int>(type); }
constexpr auto kWatching =
    bit(BuiltIn::kView) | bit(BuiltIn::kPlay) | bit(BuiltIn::kComplete) | bit(BuiltIn::kWatch);

void leave_out_watched(Matcher& matcher, const KnownPerson& person, UnixMillis since) {
  person.view.person->for_each_item_with(
      kWatching, since, [&](state::ItemNumber item) { matcher.leave_out(person.index_of(item)); });
}

// Stage 3: a candidate's score, from numbers that are copied once.
struct Candidate {
  const state::CatalogItem* item = nullptr;
  double category = 0, tags = 0, engagement = 0, trend = 0, random = 0;
  double score = 0;
};

Candidate score(const state::CatalogItem& item, const Interests& interests, const ReadState& state,
                UnixMillis now, std::uint64_t salt) {
  const RankingOptions& options = state.options;
  const state::ItemCounts counts = state.counts(item.index);
  Candidate out;
  out.item = &item;
  const bool preferred =
      std::any_of(item.categories.begin(), item.categories.end(),
                  [&](std::uint32_t name) { return interests.category_set.contains(name); });
  out.category = preferred ? options.feed_category : 0;
  const auto tags = std::count_if(item.tags.begin(), item.tags.end(), [&](std::uint32_t name) {
    return interests.tag_set.contains(name);
  });
  out.tags = options.feed_tag * static_cast<double>(tags);
  out.engagement = counts.engagement(options.feed_view, options.feed_like, options.feed_share);
  const double s = std::max(0.0, counts.trend[0].value(now, options.short_half_life_ms));
  out.trend = options.feed_trend * (s / (s + options.feed_trend_s0));
  const std::uint64_t drawn = mix(salt ^ text_hash(item.item.id.value));
  out.random = options.feed_random * static_cast<double>(drawn >> 11) * 0x1p-53;
  out.score = out.category + out.tags + out.engagement + out.trend + out.random;
  return out;
}

// How many of one parent come in a row where `c` follows `row` of `last`.
std::size_t row_with(const Candidate& c, const Candidate* last, std::size_t row) {
  if (c.item->parent == state::kNoItem) return 0;
  return last != nullptr && last->item->parent == c.item->parent ? row + 1 : 1;
}

// The best of what is sorted. What would be one too many of its parent in a row waits until
// something else has come between; what waits in vain is left out.
std::vector<Candidate> varied(std::span<const Candidate> sorted, std::size_t limit,
                              std::size_t in_a_row) {
  std::vector<Candidate> out;
  std::vector<bool> taken(sorted.size());
  std::size_t row = 0;
  for (std::size_t at = 0; at < sorted.size() && out.size() < limit;) {
    const auto* last = out.empty() ? nullptr : &out.back();
    const auto with = row_with(sorted[at], last, row);
    if (taken[at] || with > in_a_row) {
      ++at;
      continue;
    }
    taken[at] = true;
    out.push_back(sorted[at]);
    row = with;
    at = 0;
  }
  return out;
}

// Stage 4: by score.
std::vector<Candidate> best(std::vector<Candidate> scored, std::size_t limit,
                            std::size_t in_a_row) {
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : state::natural_less(*a.item, *b.item);
  };
  const bool families =
      in_a_row > 0 && std::any_of(scored.begin(), scored.end(),
                                  [](const auto& c) { return c.item->parent != state::kNoItem; });
  if (families) {
    std::sort(scored.begin(), scored.end(), better);
    return varied(scored, limit, in_a_row);
  }
  const auto end = scored.begin() + static_cast<std::ptrdiff_t>(std::min(limit, scored.size()));
  std::partial_sort(scored.begin(), end, scored.end(), better);
  scored.erase(end, scored.end());
  return scored;
}

}  // namespace

Ranked rank_feed(const Query& query, const ReadState& state) {
  const Who who = who_asks(state);
  const Interests interests = interests_of(who, state);
  Ranked out{{}, std::string(who.level), "feed"};
  Matcher matcher(query, state);
  const auto rest_ms = query.rest_ms.value_or(state.options.feed_rest_ms);
  if (who.known != nullptr && rest_ms > 0) {
    leave_out_watched(matcher, *who.known, query.now - rest_ms);
  }
  if (interests.category_set.size() == 0 && interests.tag_set.size() == 0) {
    const bool trends = !state.lists->list(Metric::kTrending).empty();
    out.level = trends ? "trending" : "recent";
  } else if (who.known == nullptr) {
    out.level = "personal";
  }
  if (matcher.nothing() || query.limit == 0) return out;

  Picks pool = candidates(query, interests, matcher, state);
  const std::string& name = query.user.value.empty() ? query.session : query.user.value;
  const std::uint64_t salt = mix(mix(query.seed) ^ text_hash(name));
  std::vector<Candidate> scored;
  scored.reserve(pool.items().size());
  for (const RankedEntry& entry : pool.items()) {
    scored.push_back(score(*state.catalog->find(entry.item), interests, state, query.now, salt));
  }

  const auto in_a_row = query.in_a_row.value_or(state.options.feed_in_a_row);
  for (const Candidate& c : best(std::move(scored), query.limit, in_a_row)) {
    Scored item{c.item->index, c.score, {}};
    if (query.explain) {
      item.parts = {{"category", c.category},
                    {"tags", c.tags},
                    {"engagement", c.engagement},
                    {"trend", c.trend},
                    {"random", c.random}};
    }
    out.items.push_back(std::move(item));
  }
  return out;
}

}  // namespace millrace::processors
