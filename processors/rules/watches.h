#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// The item joins or leaves what the person has watched. What is rated stays watched (seed 001).
Result<std::int32_t> watch(const InteractionView& interaction, state::ItemRow& row);
Result<std::int32_t> unwatch(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
