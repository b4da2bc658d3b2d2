#include "processors/rules/watches.h"

#include "processors/rules/flags.h"

namespace millrace::processors {

Result<std::int32_t> watch(const InteractionView& interaction, state::ItemRow& row) {
  return set_flag(row, state::kWatched) ? interaction.weight : 0;
}

Result<std::int32_t> unwatch(const InteractionView& interaction, state::ItemRow& row) {
  if (row.has(state::kRated)) return 0;
  return clear_flag(row, state::kWatched) ? interaction.weight : 0;
}

}  // namespace millrace::processors
