#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// The event is counted and weighs what its type weighs (view, play, share, purchase, custom types
// …).
Result<std::int32_t> count(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
