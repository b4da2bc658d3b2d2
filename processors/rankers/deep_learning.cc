#include "processors/rankers/deep_learning.h"

#include <algorithm>
#include <utility>

#include "processors/rankers/common.h"
#include "processors/training/sequence_model.h"
#include "processors/views/positives.h"

namespace millrace::processors {
namespace {

// The model's rows of the person's last items, oldest first.
std::vector<std::uint32_t> sequence_of(const KnownPerson& known, const SequenceModel& model) {
  std::vector<std::uint32_t> out;
  const auto& person = *known.view.person;
  for (auto at = person.sequence.rbegin();
       at != person.sequence.rend() && out.size() < model.length; ++at) {
    const auto row = model.row_of(known.index_of(*at));
    if (row != SequenceModel::kNoRow && counts_as_positive(person.row(*at))) out.push_back(row);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

template <class Allowed>
std::vector<Scored> best_of(const std::vector<std::uint32_t>& sequence, const SequenceModel& model,
                            const Query& query, const state::CatalogView& catalog,
                            Allowed allowed) {
  const auto logits = model.logits(model.represent(sequence));
  const double floor = round_to_exact(*std::min_element(logits.begin(), logits.end()));
  Best best(query.limit, catalog, std::move(allowed));
  for (std::size_t row = 0; row < logits.size(); ++row) {
    best.offer(model.items[row], round_to_exact(logits[row]) - floor);
  }
  auto found = std::move(best).take();
  if (!query.explain) return found;
  for (Scored& scored : found) {
    const auto row = model.row_of(scored.item);
    const double item = round_to_exact(model.item_bias[row]);
    scored.parts = {
        {"sequence", round_to_exact(logits[row]) - item}, {"item", item}, {"floor", -floor}};
  }
  return found;
}

}  // namespace

Ranked rank_deep_learning(const Query& query, const ReadState& state) {
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0) return {{}, "popular", "popular"};
  const Who who = who_asks(state);
  const NumberSet had = who.known != nullptr ? dealt_with(*who.known) : NumberSet();
  std::vector<Scored> found;
  if (who.known != nullptr && state.deep_learning != nullptr) {
    const auto sequence = sequence_of(*who.known, *state.deep_learning);
    if (!sequence.empty()) {
      found = best_of(
          sequence, *state.deep_learning, query, *state.catalog,
          [&](state::ItemIndex item) { return !had.contains(item) && matcher.allows(item); });
    }
  }
  return fill_up(std::move(found), "deep_learning", who, had, query, matcher);
}

}  // namespace millrace::processors
