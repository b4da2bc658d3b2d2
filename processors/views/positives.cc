#include "processors/views/positives.h"

#include <algorithm>

namespace millrace::processors {

bool counts_as_positive(const state::ItemRow& row) {
  if (row.order == 0 || row.has(state::kDisliked)) return false;
  return !row.has(state::kRated) || row.rating_centi >= kPositiveFromCenti;
}

bool dealt_with(const state::ItemRow& row) {
  constexpr int kAnyFlag =
      state::kLiked | state::kDisliked | state::kSaved | state::kWatched | state::kRated;
  return row.order != 0 || (row.flags & kAnyFlag) != 0;
}

std::vector<Positive> positives_of(const state::Person& person, const IndexOf& index_of) {
  std::vector<Positive> out;
  person.for_each_row([&](const state::ItemRow& row) {
    if (!counts_as_positive(row)) return;
    const auto item = index_of(row.item);
    if (item != state::kNoItem) out.push_back({item, row.order, row.last_time});
  });
  std::sort(out.begin(), out.end(),
            [](const Positive& a, const Positive& b) { return a.order < b.order; });
  return out;
}

}  // namespace millrace::processors
