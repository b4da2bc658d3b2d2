#include "processors/rules/ratings.h"

#include "processors/rules/flags.h"

namespace millrace::processors {

Result<std::int32_t> rate(const InteractionView& interaction, state::ItemRow& row) {
  const auto value = interaction.value_centi;
  if (!value || *value < 50 || *value > 500) {
    return fail(Code::kInvalid, "rate needs a value from 0.5 to 5", "data.value");
  }
  row.rating_centi = *value;
  set_flag(row, state::kWatched);
  return set_flag(row, state::kRated) ? interaction.weight : 0;
}

Result<std::int32_t> unrate(const InteractionView& interaction, state::ItemRow& row) {
  row.rating_centi = 0;
  return clear_flag(row, state::kRated) ? interaction.weight : 0;
}

}  // namespace millrace::processors
