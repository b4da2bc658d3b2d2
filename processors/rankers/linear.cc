#include "processors/rankers/linear.h"

#include <algorithm>

#include "processors/rankers/taste.h"
#include "processors/training/linear_model.h"

namespace millrace::processors {
namespace {

struct Source {
  std::uint32_t place = 0;  // in the model
  double weight = 0;
};

std::vector<Source> sources_of(const Taste& taste, const ReadState& state) {
  std::vector<Source> out;
  const auto& options = state.options;
  const auto last = std::min(taste.positives.size(), options.linear_profile);
  for (std::size_t age = 0; age < last; ++age) {
    const auto found = state.linear->place.find(taste.positives[age].item);
    if (found == state.linear->place.end()) continue;
    out.push_back({found->second, profile_weight(age, options.recency, taste.moment, options)});
  }
  const auto against = std::min(taste.negatives.size(), options.linear_profile);
  for (std::size_t i = 0; i < against; ++i) {
    const auto found = state.linear->place.find(taste.negatives[i].item);
    if (found == state.linear->place.end()) continue;
    out.push_back({found->second, round_to_step(taste.negatives[i].weight)});
  }
  return out;
}

void explain(Scored& scored, std::span<const Source> sources, const ReadState& state) {
  const LinearModel& model = *state.linear;
  const auto target = model.place.at(scored.item);
  std::vector<Contribution> all;
  for (const Source& source : sources) {
    const auto row = model.row(source.place);
    const auto found = std::lower_bound(
        row.begin(), row.end(), target,
        [](const LinearModel::Weight& weight, std::uint32_t at) { return weight.target < at; });
    if (found == row.end() || found->target != target) continue;
    all.push_back({model.items[source.place], source.weight * found->weight});
  }
  explain_sources(scored, std::move(all), state);
}

template <class Allowed>
std::vector<Scored> best_items(std::span<const Source> sources, const Query& query,
                               const ReadState& state, Allowed&& allowed) {
  const LinearModel& model = *state.linear;
  std::vector<double> scores(model.items.size());
  for (const Source& source : sources) {
    for (const auto& [target, weight] : model.row(source.place)) {
      scores[target] += source.weight * weight;
    }
  }
  Best best(query.limit, *state.catalog, allowed);
  for (std::size_t place = 0; place < scores.size(); ++place) {
    if (scores[place] > 0) best.offer(model.items[place], scores[place]);
  }
  auto items = std::move(best).take();
  for (Scored& scored : items) {
    if (query.explain) explain(scored, sources, state);
  }
  return items;
}

}  // namespace

Ranked rank_linear(const Query& query, const ReadState& state) {
  const Personal person(query, state);
  std::vector<Scored> items;
  if (!person.nothing() && state.linear != nullptr) {
    items = best_items(sources_of(person.taste(), state), query, state, [&](state::ItemIndex item) {
      return item != state::kNoItem && person.allows(item);
    });
  }
  return person.answer(std::move(items), "linear");
}

}  // namespace millrace::processors
