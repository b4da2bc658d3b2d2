#pragma once
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "processors/views/profiles.h"
#include "state/item_index.h"
#include "state/pages.h"

namespace millrace::processors {

inline constexpr std::int32_t kPositiveFromCenti = 350;  // hundredths of a star

// Something in a person's sequence that they took to.
struct Positive {
  state::ItemIndex item = state::kNoItem;
  std::uint32_t order = 0;  // ItemRow::order
  UnixMillis time = 0;      // ItemRow::last_time
  friend bool operator==(const Positive&, const Positive&) = default;
};

// Whether a row is of the sequence and counts as one: rated at 3.5 stars or better where it is
// rated, else not disliked.
bool counts_as_positive(const state::ItemRow& row);
// Whether a person has dealt with an item, so that it is not recommended to them: it is in their
// sequence, or liked, disliked, saved, watched or rated.
bool dealt_with(const state::ItemRow& row);

// All of a person's, oldest first by their place in the sequence.
std::vector<Positive> positives_of(const state::Person& person, const IndexOf& index_of);

}  // namespace millrace::processors
