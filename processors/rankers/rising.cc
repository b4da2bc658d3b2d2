#include "processors/rankers/rising.h"

#include <algorithm>
#include <cmath>

#include "processors/rankers/common.h"

namespace millrace::processors {

double rising_score(double fast, double slow, const RankingOptions& options) {
  const double expected = std::max(slow, 0.0) * static_cast<double>(options.short_half_life_ms) /
                          static_cast<double>(options.long_half_life_ms);
  return (fast - expected) / std::sqrt(expected / 2 + options.rising_prior);
}

Ranked rank_rising(const Query& query, const ReadState& state) {
  Ranked out{{}, "trending", "rising"};
  const Matcher matcher(query, state);
  if (matcher.nothing()) return out;
  Picks picks(matcher, std::max(query.limit, state.options.rising_candidates));
  matcher.list(Metric::kTrending).for_each([&](const RankedEntry& entry) {
    return picks.offer(entry);
  });
  for (const RankedEntry& entry : picks.items()) {
    const state::ItemCounts counts = state.counts(entry.item);
    const double fast = counts.trend[0].value(query.now, state.options.short_half_life_ms);
    const double slow = counts.trend[1].value(query.now, state.options.long_half_life_ms);
    const double z = rising_score(fast, slow, state.options);
    if (z > 0) out.items.push_back({entry.item, z, {}});
  }
  sort_by_score(out.items);
  if (out.items.size() > query.limit) out.items.resize(query.limit);
  if (query.explain) {
    for (Scored& item : out.items) item.parts = {{"rising", item.score}};
  }
  return out;
}

}  // namespace millrace::processors
