#include "processors/rules/likes.h"

#include "processors/rules/flags.h"

namespace millrace::processors {

Result<std::int32_t> like(const InteractionView& interaction, state::ItemRow& row) {
  clear_flag(row, state::kDisliked);
  return set_flag(row, state::kLiked) ? interaction.weight : 0;
}

Result<std::int32_t> unlike(const InteractionView& interaction, state::ItemRow& row) {
  return clear_flag(row, state::kLiked) ? interaction.weight : 0;
}

Result<std::int32_t> dislike(const InteractionView& interaction, state::ItemRow& row) {
  clear_flag(row, state::kLiked);
  return set_flag(row, state::kDisliked) ? interaction.weight : 0;
}

}  // namespace millrace::processors
