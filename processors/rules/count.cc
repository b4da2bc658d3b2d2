#include "processors/rules/count.h"

namespace millrace::processors {

Result<std::int32_t> count(const InteractionView& interaction, state::ItemRow& /*row*/) {
  return interaction.weight;
}

}  // namespace millrace::processors
