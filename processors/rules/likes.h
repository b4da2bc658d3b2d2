#pragma once
#include "processors/rules/rule.h"

namespace millrace::processors {

// Like and dislike exclude each other; a repeat changes nothing.
Result<std::int32_t> like(const Interaction& interaction, state::ItemRow& row);
Result<std::int32_t> unlike(const Interaction& interaction, state::ItemRow& row);
Result<std::int32_t> dislike(const Interaction& interaction, state::ItemRow& row);

}  // namespace millrace::processors
