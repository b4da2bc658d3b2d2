#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// Like and dislike exclude each other; a repeat changes nothing.
Result<std::int32_t> like(const InteractionView& interaction, state::ItemRow& row);
Result<std::int32_t> unlike(const InteractionView& interaction, state::ItemRow& row);
Result<std::int32_t> dislike(const InteractionView& interaction, state::ItemRow& row);

}  // namespace millrace::processors
