#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// The item joins or leaves what the person has saved; a repeat changes nothing.
Result<std::int32_t> save(const InteractionView& interaction, state::ItemRow& row);
Result<std::int32_t> unsave(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
