#include "processors/rankers/hybrid_ensemble.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "processors/rankers/list.h"
#include "processors/rankers/taste.h"

namespace millrace::processors {
namespace {

struct Component {
  std::string_view ranker;
  double BlendWeights::Row::*weight;
};
constexpr Component kComponents[] = {
    {"linear", &BlendWeights::Row::linear},
    {"collaborative", &BlendWeights::Row::collaborative},
    {"session", &BlendWeights::Row::session},
    {"deep_learning", &BlendWeights::Row::deep_learning},
    {"genre_weighted", &BlendWeights::Row::genre},
};
constexpr std::string_view kRecent = "recent";

// What one component says of one item.
struct Share {
  state::ItemIndex item = state::kNoItem;
  std::string_view name;
  double value = 0;
};

void add_shares(std::string_view name, double weight, const std::vector<Scored>& scored,
                std::vector<Share>& shares) {
  double best = 0;
  for (const Scored& one : scored) best = std::max(best, one.score);
  for (const Scored& one : scored) {
    if (one.score <= 0) continue;
    const double value = round_to_exact(weight * one.score / best);
    if (value != 0) shares.push_back({one.item, name, value});
  }
}

// Recent popularity among what trends and what is popular.
template <class Allowed>
std::vector<Scored> recent_items(const Query& query, const Matcher& matcher, const ReadState& state,
                                 Allowed&& allowed) {
  std::vector<Scored> out;
  NumberSet taken(2 * state.options.blend_candidates);
  for (const Metric metric : {Metric::kTrending, Metric::kPopular}) {
    std::size_t looked_at = 0;
    state.lists->list(metric, matcher.kind(), matcher.category())
        .for_each([&](const RankedEntry& entry) {
          if (allowed(entry.item) && taken.insert(entry.item)) {
            const double weight =
                state.counts(entry.item).trend[1].value(query.now, state.options.long_half_life_ms);
            if (weight > 0) out.push_back({entry.item, std::log1p(weight), {}});
            ++looked_at;
          }
          return looked_at < state.options.blend_candidates;
        });
  }
  return out;
}

// Shares added up by item, and the best of the sums.
template <class Allowed>
std::vector<Scored> blended(std::vector<Share> shares, const Query& query, const ReadState& state,
                            Allowed&& allowed) {
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.item < b.item; });
  Best best(query.limit, *state.catalog, allowed);
  for (auto at = shares.begin(); at != shares.end();) {
    const auto end =
        std::find_if(at, shares.end(), [&](const Share& share) { return share.item != at->item; });
    double sum = 0;
    for (auto share = at; share != end; ++share) sum += share->value;
    best.offer(at->item, sum);
    at = end;
  }
  auto items = std::move(best).take();
  for (Scored& scored : items) {
    if (!query.explain) break;
    auto share =
        std::lower_bound(shares.begin(), shares.end(), scored.item,
                         [](const Share& one, state::ItemIndex item) { return one.item < item; });
    for (; share != shares.end() && share->item == scored.item; ++share) {
      scored.parts.push_back({std::string(share->name), share->value});
    }
  }
  return items;
}

}  // namespace

BlendWeights::Table BlendWeights::chosen() {
  constexpr Row kPast{.linear = 1, .collaborative = 0.2};
  constexpr Row kHere{.linear = 1, .collaborative = 0.6, .session = 0.6};
  constexpr Row kAway{.linear = 0.3, .collaborative = 0.1, .recent = 2};
  Row new_here = kHere, new_away = kAway;
  new_here.recent = 0.1;
  new_here.genre = new_away.genre = 0.2;
  return {{{{new_here, new_away, kPast}}, {{kHere, kAway, kPast}}, {{kHere, kAway, kPast}}}};
}

Ranked rank_hybrid_ensemble(const Query& query, const ReadState& state) {
  const Personal person(query, state);
  const auto allowed = [&](state::ItemIndex item) { return person.allows(item); };
  std::vector<Share> shares;
  if (!person.nothing() && person.known()) {
    const auto& taste = person.taste();
    const auto& weights = state.blend.row(segment_of(taste.positives.size()), taste.moment);
    Query wide = query;
    wide.limit = std::max(query.limit, state.options.blend_candidates);
    wide.explain = false;
    for (const Component& component : kComponents) {
      const double weight = weights.*component.weight;
      const Ranker* ranker = weight > 0 ? find_ranker(component.ranker) : nullptr;
      if (ranker == nullptr) continue;
      const Ranked ranked = ranker->rank(wide, state);
      if (ranked.algorithm != component.ranker) continue;  // another took over
      add_shares(component.ranker, weight, ranked.items, shares);
    }
    if (weights.recent > 0) {
      add_shares(kRecent, weights.recent, recent_items(query, person.matcher(), state, allowed),
                 shares);
    }
  }
  return person.answer(blended(std::move(shares), query, state, allowed), "hybrid_ensemble");
}

}  // namespace millrace::processors
