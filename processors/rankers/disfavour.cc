#include "processors/rankers/disfavour.h"

#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

constexpr auto kSkip = static_cast<std::uint32_t>(BuiltIn::kSkip);
constexpr auto kDislike = static_cast<std::uint32_t>(BuiltIn::kDislike);
constexpr std::uint32_t kWhole = 4;  // quarters

}  // namespace

bool is_skipped(const state::ItemRow& row) {
  return row.order == 0 && !row.has(state::kDisliked) && !row.has(state::kLiked) &&
         !row.has(state::kSaved) && state::count_of(row.counts, kSkip) > 0;
}

bool has_skipped(const state::Person& person) { return state::count_of(person.counts, kSkip) > 0; }

Disfavour disfavour_of(const KnownPerson& known, const ReadState& state) {
  Disfavour out;
  const auto& person = *known.view.person;
  const bool skips = has_skipped(person);
  if (!skips && state::count_of(person.counts, kDislike) == 0) return out;
  person.for_each_row([&](const state::ItemRow& row) {
    const bool disliked = row.has(state::kDisliked);
    if (!disliked && !(skips && is_skipped(row))) return;
    const auto* item = state.catalog->find(known.index_of(row.item));
    if (item == nullptr) return;
    const std::uint32_t quarters = disliked ? kWhole : 1;
    for (const auto name : item->categories) out.categories_[name] += quarters;
    for (const auto name : item->tags) out.tags_[name] += quarters;
  });
  return out;
}

}  // namespace millrace::processors
