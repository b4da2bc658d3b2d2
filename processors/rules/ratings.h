#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// A rating of 0.5 to 5 stars replaces the one before and makes the item watched (seed 001); only
// the first weighs. Taking it away leaves the item watched.
Result<std::int32_t> rate(const InteractionView& interaction, state::ItemRow& row);
Result<std::int32_t> unrate(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
