#include "processors/rankers/taste.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "processors/rankers/disfavour.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kNamedParts = 3;
constexpr double kSteps = 1024;        // of a profile's weights
constexpr std::size_t kPastShare = 5;  // one in so many positives behind the request's time

Moment moment_of(const std::vector<Positive>& positives, UnixMillis now, std::int64_t away_ms) {
  std::size_t later = 0;
  UnixMillis last = INT64_MIN;
  for (const Positive& positive : positives) {
    later += positive.time > now ? 1 : 0;
    last = std::max(last, positive.time);
  }
  if (later * kPastShare > positives.size()) return Moment::kPast;
  return !positives.empty() && now - last >= away_ms ? Moment::kAway : Moment::kHere;
}

}  // namespace

Taste taste_of(const KnownPerson& known, const Query& query, const RankingOptions& options) {
  Taste taste{{}, {}, {}, NumberSet(64), {}};
  const bool skips = has_skipped(*known.view.person);
  known.view.person->for_each_row([&](const state::ItemRow& row) {
    const bool negative = row.has(state::kDisliked) || (skips && is_skipped(row));
    const bool dealt = dealt_with(row);
    if (!negative && !dealt) return;
    const auto item = known.index_of(row.item);
    if (item == state::kNoItem) return;
    if (negative) {
      taste.negatives.push_back(
          {item, row.last_time, -(row.has(state::kDisliked) ? options.dislike : options.skip)});
    }
    if (!dealt) return;
    taste.had.insert(item);
    if (row.order == 0 || row.has(state::kDisliked)) return;
    const bool positive = counts_as_positive(row);
    taste.sequence.push_back({item, row.order, positive});
    if (positive) taste.positives.push_back({item, row.order, row.last_time});
  });
  std::sort(taste.sequence.begin(), taste.sequence.end(),
            [](const Taste::Step& a, const Taste::Step& b) { return a.order > b.order; });
  std::sort(taste.positives.begin(), taste.positives.end(),
            [](const Positive& a, const Positive& b) { return a.order > b.order; });
  std::sort(taste.negatives.begin(), taste.negatives.end(), [](const auto& a, const auto& b) {
    return a.time != b.time ? a.time > b.time : a.item < b.item;
  });
  taste.moment = moment_of(taste.positives, query.now, options.away_ms);
  return taste;
}

Personal::Personal(const Query& query, const ReadState& state)
    : query_(query),
      matcher_(query, state),
      who_(who_asks(state)),
      nothing_(matcher_.nothing() || query.limit == 0),
      taste_(nothing_ || !known() ? Taste() : taste_of(*who_.known, query, state.options)) {}

Ranked Personal::answer(std::vector<Scored> found, std::string_view algorithm) const {
  if (nothing_) return {{}, "popular", "popular"};
  return fill_up(std::move(found), algorithm, who_, taste_.had, query_, matcher_);
}

double profile_weight(std::size_t age, double recency, Moment moment,
                      const RankingOptions& options) {
  if (moment == Moment::kPast) return 1;
  const double floor = moment == Moment::kAway ? options.recency_floor_away : options.recency_floor;
  const double weight = std::exp(-static_cast<double>(age) / recency) + floor;
  return round_to_step(weight);
}

double round_to_step(double weight) { return std::round(weight * kSteps) / kSteps; }

void explain_sources(Scored& scored, std::vector<Contribution> all, const ReadState& state) {
  std::stable_sort(all.begin(), all.end(), [](const Contribution& a, const Contribution& b) {
    return std::abs(a.value) > std::abs(b.value);
  });
  scored.parts.clear();
  double others = scored.score;
  for (std::size_t i = 0; i < all.size() && i < kNamedParts; ++i) {
    others -= all[i].value;
    scored.parts.push_back({std::string(state.items->name(all[i].source)), all[i].value});
  }
  // Whatever was counted since the score was taken lands here, too: the parts still add up.
  if (others != 0) scored.parts.push_back({"others", others});
}

NumberSet items_in(const std::vector<Scored>& items, std::size_t limit) {
  NumberSet out(limit);
  for (const Scored& scored : items) out.insert(scored.item);
  return out;
}

}  // namespace millrace::processors
