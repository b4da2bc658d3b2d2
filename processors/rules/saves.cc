#include "processors/rules/saves.h"

#include "processors/rules/flags.h"

namespace millrace::processors {

Result<std::int32_t> save(const InteractionView& interaction, state::ItemRow& row) {
  return set_flag(row, state::kSaved) ? interaction.weight : 0;
}

Result<std::int32_t> unsave(const InteractionView& interaction, state::ItemRow& row) {
  return clear_flag(row, state::kSaved) ? interaction.weight : 0;
}

}  // namespace millrace::processors
