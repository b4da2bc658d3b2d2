#include "processors/rankers/arrange.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "processors/rankers/common.h"
#include "processors/rankers/disfavour.h"
#include "schemas/ranking_rule.h"

namespace millrace::processors {
namespace {

constexpr std::string_view kRotated = "hybrid_ensemble";
constexpr std::string_view kAttribute = "attr.";

using Rules = std::vector<const RankingRule*>;  // by id

Rules in_force(const state::RankingRulesView& rules, RuleKind kind, UnixMillis now) {
  Rules out;
  for (const auto& [id, rule] : rules) {
    if (rule.kind == kind && rule.in_force(now)) out.push_back(&rule);
  }
  return out;
}

// What of all this applies to one query.
struct Plan {
  NumberSet skipped;
  std::uint32_t rotate_after = 0;  // 0: no rotation
  Rules boosts, burials, quotas, pins;
  double diversity = 0;

  bool rescores() const {
    return skipped.size() > 0 || rotate_after > 0 || !boosts.empty() || !burials.empty() ||
           diversity > 0;
  }
  bool nothing() const { return !rescores() && quotas.empty() && pins.empty(); }
};

NumberSet skipped_items(const ReadState& state) {
  const Who who = who_asks(state);
  NumberSet out;
  if (who.known == nullptr || !has_skipped(*who.known->view.person)) return out;
  who.known->view.person->for_each_row([&](const state::ItemRow& row) {
    if (!is_skipped(row)) return;
    if (const auto item = who.known->index_of(row.item); item != state::kNoItem) out.insert(item);
  });
  return out;
}

bool is_tired(const Fatigue::Shown& shown, std::uint32_t after, const Query& query,
              const ReadState& state) {
  return shown.times >= after && query.now - shown.last < state.options.rotate_recover_ms;
}

Plan plan_of(const Ranker& ranker, const Query& query, const ReadState& state) {
  Plan plan;
  plan.skipped = skipped_items(state);
  const auto rotate =
      query.rotate_after.value_or(ranker.name == kRotated ? state.options.rotate_after : 0);
  const auto tired = [&](const auto& shown) { return is_tired(shown, rotate, query, state); };
  if (rotate > 0 && std::any_of(state.shown.begin(), state.shown.end(), tired)) {
    plan.rotate_after = rotate;
  }
  plan.diversity = query.diversity;
  const auto& rules = state.catalog->ranking_rules();
  if (rules.empty()) return plan;
  plan.boosts = in_force(rules, RuleKind::kBoost, query.now);
  plan.burials = in_force(rules, RuleKind::kBury, query.now);
  plan.quotas = in_force(rules, RuleKind::kQuota, query.now);
  plan.pins = in_force(rules, RuleKind::kPin, query.now);
  std::stable_sort(plan.pins.begin(), plan.pins.end(),
                   [](const auto* a, const auto* b) { return a->place < b->place; });
  return plan;
}

NumberSet dealt_with_by(const Ranker& ranker, const ReadState& state) {
  const Who who = who_asks(state);
  return ranker.personal && who.known != nullptr ? dealt_with(*who.known) : NumberSet();
}

// What an item has of a rule's field.
std::vector<std::string> values_of(const RankingRule& rule, const state::CatalogItem& item,
                                   const state::CatalogNames& names) {
  std::vector<std::string> out;
  if (rule.field == "category") {
    for (const auto name : item.categories) out.emplace_back(names.categories.name(name));
  } else if (rule.field == "tag") {
    for (const auto name : item.tags) out.emplace_back(names.tags.name(name));
  } else if (auto value = json_member(item.item.attributes, rule.field.substr(kAttribute.size()))) {
    out.push_back(*std::move(value));
  }
  if (!rule.value.empty())
    std::erase_if(out, [&](const auto& value) { return value != rule.value; });
  return out;
}

void add(Scored& scored, std::string name, double value, bool explain) {
  scored.score += value;
  if (explain) scored.parts.push_back({std::move(name), value});
}

void rotate(std::vector<Scored>& items, std::uint32_t after, const Query& query,
            const ReadState& state) {
  for (const auto& shown : state.shown) {
    if (!is_tired(shown, after, query, state)) continue;
    const auto found = std::find_if(items.begin(), items.end(), [&](const Scored& scored) {
      return scored.item == shown.item;
    });
    if (found == items.end()) continue;
    const double factor = std::pow(state.options.rotate_factor, shown.times - after + 1);
    add(*found, "shown", found->score * (factor - 1), query.explain);
  }
}

// Buried ones are left behind the others.
void rescore(std::vector<Scored>& items, const Plan& plan, const Query& query,
             const ReadState& state) {
  for (Scored& scored : items) {
    if (plan.skipped.contains(scored.item)) {
      add(scored, "skipped", scored.score * (state.options.skipped_again - 1), query.explain);
    }
  }
  if (plan.rotate_after > 0) rotate(items, plan.rotate_after, query, state);
  NumberSet buried;
  for (Scored& scored : items) {
    const auto& item = *state.catalog->find(scored.item);
    for (const auto* rule : plan.boosts) {
      if (values_of(*rule, item, *state.names).empty()) continue;
      add(scored, "rule:" + rule->id, scored.score * (rule->factor - 1), query.explain);
    }
    for (const auto* rule : plan.burials) {
      if (values_of(*rule, item, *state.names).empty()) continue;
      add(scored, "rule:" + rule->id, -scored.score, query.explain);
      buried.insert(scored.item);
    }
  }
  sort_by_score(items);
  std::stable_partition(items.begin(), items.end(),
                        [&](const Scored& scored) { return !buried.contains(scored.item); });
}

// Categories and tags of an item, ascending; tags behind the categories.
std::vector<std::uint64_t> features_of(const state::CatalogItem& item) {
  constexpr std::uint64_t kTag = std::uint64_t{1} << 32;
  std::vector<std::uint64_t> out(item.categories.begin(), item.categories.end());
  for (const auto tag : item.tags) out.push_back(kTag | tag);
  std::sort(out.begin(), out.end());
  return out;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t both = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (*x < *y) {
      ++x;
    } else if (*y < *x) {
      ++y;
    } else {
      ++both, ++x, ++y;
    }
  }
  const auto any = a.size() + b.size() - both;
  return any == 0 ? 0 : static_cast<double>(both) / static_cast<double>(any);
}

// The first `limit` by maximal marginal relevance. A penalty only grows as more is above, so that
// the scores come in order.
std::vector<Scored> diversify(std::vector<Scored> items, const Query& query,
                              const ReadState& state) {
  struct Candidate {
    std::vector<std::uint64_t> features;
    double nearest = 0;
    bool taken = false;
  };
  std::vector<Candidate> candidates;
  double most = 0;
  for (const Scored& scored : items) {
    candidates.push_back({features_of(*state.catalog->find(scored.item))});
    most = std::max(most, scored.score);
  }
  if (most == 0) most = 1;  // nothing but what was filled up with
  std::vector<Scored> out;
  while (out.size() < std::min(query.limit, items.size())) {
    std::size_t best = items.size();
    double highest = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (candidates[i].taken) continue;
      const double score = items[i].score - query.diversity * most * candidates[i].nearest;
      if (best == items.size() || score > highest) best = i, highest = score;
    }
    candidates[best].taken = true;
    if (candidates[best].nearest > 0) {
      add(items[best], "diversity", -(query.diversity * most * candidates[best].nearest),
          query.explain);
    }
    for (Candidate& other : candidates) {
      if (other.taken) continue;
      other.nearest = std::max(other.nearest, jaccard(other.features, candidates[best].features));
    }
    out.push_back(std::move(items[best]));
  }
  return out;
}

// What the quotas leave of a list.
class Quotas {
 public:
  Quotas(const Rules& rules, const ReadState& state) : rules_(rules), state_(state) {}

  bool admit(state::ItemIndex index) {
    const auto& item = *state_.catalog->find(index);
    std::vector<std::uint32_t*> counted;
    for (const auto* rule : rules_) {
      for (auto& value : values_of(*rule, item, *state_.names)) {
        auto& count = counts_[{rule, std::move(value)}];
        if (count >= rule->most) return false;
        counted.push_back(&count);
      }
    }
    for (auto* count : counted) ++*count;
    return true;
  }

 private:
  const Rules& rules_;
  const ReadState& state_;
  std::map<std::pair<const RankingRule*, std::string>, std::uint32_t> counts_;
};

void pin(std::vector<Scored>& items, const Ranker& ranker, const Rules& pins, const Query& query,
         const ReadState& state) {
  if (pins.empty()) return;
  const Matcher matcher(query, state);
  const NumberSet had = dealt_with_by(ranker, state);
  for (const auto* rule : pins) {
    const auto index = state.items->find(rule->item.value);
    if (!index || had.contains(*index) || !matcher.allows(*index)) continue;
    Scored pinned{*index, 0, {}};
    const auto found = std::find_if(items.begin(), items.end(),
                                    [&](const Scored& scored) { return scored.item == *index; });
    if (found != items.end()) {
      pinned = std::move(*found);
      items.erase(found);
    }
    if (query.explain) pinned.parts.push_back({"rule:" + rule->id, 0});
    const auto at = std::min<std::size_t>(rule->place - 1, items.size());
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(at), std::move(pinned));
  }
}

// The list of popular items has all that are listed.
Ranked filled(const Ranker& ranker, const Query& query, const ReadState& state) {
  Ranked ranked = ranker.rank(query, state);
  if (!ranker.partial || ranked.items.size() >= query.limit) return ranked;
  const Matcher matcher(query, state);
  if (matcher.nothing()) return ranked;
  if (ranked.items.empty()) ranked.level = "popular";
  NumberSet taken = dealt_with_by(ranker, state);
  for (const Scored& scored : ranked.items) taken.insert(scored.item);
  fill_from(matcher.list(Metric::kPopular), "popular", query, matcher, taken, ranked.items);
  return ranked;
}

struct Arranged {
  Ranked ranked;
  bool short_of = false;  // there are more candidates, and too few were left of these
};
Arranged arranged(const Ranker& ranker, const Plan& plan, std::size_t candidates,
                  const Query& query, const ReadState& state) {
  Query wide = query;
  wide.limit = candidates;
  Ranked ranked = filled(ranker, wide, state);
  const bool all = ranked.items.size() < candidates;
  auto& items = ranked.items;
  if (plan.rescores()) rescore(items, plan, query, state);
  if (!plan.quotas.empty()) {
    Quotas quotas(plan.quotas, state);
    std::erase_if(items, [&](const Scored& scored) { return !quotas.admit(scored.item); });
  }
  if (plan.diversity > 0) items = diversify(std::move(items), query, state);
  pin(items, ranker, plan.pins, query, state);
  if (items.size() > query.limit) items.resize(query.limit);
  const bool short_of = items.size() < query.limit && !all;
  return {std::move(ranked), short_of};
}

}  // namespace

Ranked rank_arranged(const Ranker& ranker, const Query& query, const ReadState& state) {
  const Plan plan = plan_of(ranker, query, state);
  if (plan.nothing() || query.limit == 0) return filled(ranker, query, state);
  std::size_t candidates = std::max(query.limit, state.options.arranged_candidates);
  for (;;) {
    auto [ranked, short_of] = arranged(ranker, plan, candidates, query, state);
    if (!short_of || candidates >= state.options.most_arranged) return std::move(ranked);
    candidates = std::min(4 * candidates, state.options.most_arranged);
  }
}

}  // namespace millrace::processors
