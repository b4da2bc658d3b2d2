#pragma once
#include <cstdint>

#include "base/result.h"
#include "schemas/interaction_view.h"
#include "state/pages.h"

namespace millrace::processors {

// A rule folds one interaction into the person's row of its item: flags and rating, nothing else.
// It answers how much of the record's weight counts for trends and the person's sequence: a second
// like changes nothing and weighs nothing. An error (kInvalid) sends the record to the dead
// letters, the row unchanged. Pure: the record and the row are all that it sees.
//
// Counts by type, history, trend shares and item statistics follow from the row and the answer; no
// rule does them by itself (processors/apply.cc).
using Rule = Result<std::int32_t> (*)(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
