#include "processors/rankers/hybrid_ensemble.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "processors/rankers/list.h"
#include "processors/rankers/taste.h"

namespace millrace::processors {
namespace {

constexpr std::string_view kRecent = "recent";
// Of growth(): who an item has beside its own people, so that a few of them say little; and its
// most, so that nothing new outshines everything in a log of which little is lately.
constexpr double kMoreLately = 10.0 / 3, kMorePeople = 2;
constexpr double kMostGrowth = 1 / RecentPopularity::kShare;
constexpr std::size_t kLifted = 3;  // times as many candidates where an item may rise among them

using Shares = std::vector<BlendShares::Share>;

// `lift` of an item multiplies what is said of it.
template <class Lift>
void add_shares(std::size_t part, const std::vector<Scored>& scored, Lift&& lift, Shares& shares) {
  double best = 0;
  for (const Scored& one : scored) best = std::max(best, one.score);
  for (const Scored& one : scored) {
    if (one.score <= 0) continue;
    shares.push_back(
        {one.item, static_cast<std::uint8_t>(part), one.score / best * lift(one.item)});
  }
}

// How much more of an item's people took to it lately than of all items'.
double growth(state::ItemIndex item, const ReadState& state) {
  const double lately = state.recent->count(item) / state.recent->share();
  const double people = state.cooccurrence->people(item);
  return std::min((lately + kMoreLately) / (people + kMorePeople), kMostGrowth);
}

// Recent popularity of what others found, of what trends and of what is popular.
template <class Allowed>
std::vector<Scored> recent_items(const Shares& others, const Matcher& matcher,
                                 const ReadState& state, Allowed&& allowed) {
  std::vector<Scored> out;
  NumberSet taken(others.size() + 2 * state.options.blend_candidates);
  const auto offer = [&](state::ItemIndex item) {
    const auto count = state.recent->count(item);
    if (taken.insert(item) && count > 0) out.push_back({item, static_cast<double>(count), {}});
  };
  for (const auto& share : others) offer(share.item);
  for (const Metric metric : {Metric::kTrending, Metric::kPopular}) {
    std::size_t looked_at = 0;
    matcher.list(metric).for_each([&](const RankedEntry& entry) {
      if (allowed(entry.item)) {
        offer(entry.item);
        ++looked_at;
      }
      return looked_at < state.options.blend_candidates;
    });
  }
  return out;
}

// Those of the parts that `wanted` says, lifted as `growth_weight` has it.
template <class Wanted>
Shares shares_of(const Personal& person, const Query& query, const ReadState& state,
                 double growth_weight, Wanted&& wanted) {
  Shares shares;
  const bool lifts = growth_weight > 0 && state.recent != nullptr && state.cooccurrence != nullptr;
  const auto lift = [&](state::ItemIndex item) {
    return lifts ? 1 + growth_weight * (growth(item, state) - 1) : 1;
  };
  Query wide = query;
  wide.limit = std::max(query.limit, state.options.blend_candidates) * (lifts ? kLifted : 1);
  wide.explain = false;
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    const BlendPart& part = kBlendParts[p];
    if (!wanted(part)) continue;
    if (part.name == kRecent) {
      if (state.recent == nullptr) continue;
      const auto allowed = [&](state::ItemIndex item) { return person.allows(item); };
      auto recent = recent_items(shares, person.matcher(), state, allowed);
      std::stable_sort(recent.begin(), recent.end(),
                       [](const Scored& a, const Scored& b) { return a.score > b.score; });
      add_shares(
          p, recent, [](state::ItemIndex) { return 1; }, shares);
      continue;
    }
    const Ranked ranked = find_ranker(part.name)->rank(wide, state);
    if (ranked.algorithm == part.name) add_shares(p, ranked.items, lift, shares);  // else another's
  }
  return shares;
}

// Shares weighed and added up by item, and the best of the sums; with their parts.
std::vector<Scored> blended(Shares shares, const BlendWeights::Row& weights, std::size_t limit,
                            bool explain, const state::CatalogView& catalog) {
  for (auto& share : shares) {
    share.value = round_to_exact(weights.*kBlendParts[share.part].weight * share.value);
  }
  std::erase_if(shares, [](const auto& share) { return share.value == 0; });
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.item < b.item; });
  Best best(limit, catalog, [](state::ItemIndex) { return true; });  // the parts have seen to it
  for (auto at = shares.begin(); at != shares.end();) {
    const auto end =
        std::find_if(at, shares.end(), [&](const auto& share) { return share.item != at->item; });
    double sum = 0;
    for (auto share = at; share != end; ++share) sum += share->value;
    best.offer(at->item, sum);
    at = end;
  }
  auto items = std::move(best).take();
  for (Scored& scored : items) {
    if (!explain) break;
    auto share =
        std::lower_bound(shares.begin(), shares.end(), scored.item,
                         [](const auto& one, state::ItemIndex item) { return one.item < item; });
    for (; share != shares.end() && share->item == scored.item; ++share) {
      scored.parts.push_back({std::string(kBlendParts[share->part].name), share->value});
    }
  }
  return items;
}

}  // namespace

BlendWeights::Table BlendWeights::chosen() {
  constexpr Row kPast{.linear = 1, .collaborative = 0.2};
  constexpr Row kHere{.linear = 1, .collaborative = 0.6, .session = 0.6};
  constexpr Row kAway{.linear = 1, .recent = 1, .growth = 1};
  Row new_here = kHere, new_away = kAway;
  new_here.recent = 0.1;
  new_here.genre = new_away.genre = 0.2;
  return {{{{new_here, new_away, kPast}}, {{kHere, kAway, kPast}}, {{kHere, kAway, kPast}}}};
}

BlendShares blend_shares(const Query& query, const ReadState& state) {
  const Personal person(query, state);
  if (person.nothing() || !person.known()) return {};
  const auto& taste = person.taste();
  const Segment segment = segment_of(taste.positives.size());
  return {segment, taste.moment,
          shares_of(person, query, state, state.blend.row(segment, taste.moment).growth,
                    [](const BlendPart&) { return true; })};
}

std::vector<Scored> weighed(const BlendShares& shares, const BlendWeights::Row& weights,
                            std::size_t limit, const state::CatalogView& catalog) {
  return blended(shares.shares, weights, limit, false, catalog);
}

Ranked rank_hybrid_ensemble(const Query& query, const ReadState& state) {
  const Personal person(query, state);
  std::vector<Scored> items;
  if (!person.nothing() && person.known()) {
    const auto& taste = person.taste();
    const auto& weights = state.blend.row(segment_of(taste.positives.size()), taste.moment);
    auto shares = shares_of(person, query, state, weights.growth,
                            [&](const BlendPart& part) { return weights.*part.weight > 0; });
    items = blended(std::move(shares), weights, query.limit, query.explain, *state.catalog);
  }
  return person.answer(std::move(items), "hybrid_ensemble");
}

}  // namespace millrace::processors
