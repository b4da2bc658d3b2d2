#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/event.h"

namespace millrace {

// An interaction without copies: its text lies where it was read from, usually a log record's
// bytes, and lives as long as those. Fields as in Event and Interaction.
struct InteractionView {
  std::string_view source, id;
  std::uint32_t type_number = 0;
  std::int32_t weight = 0;
  std::uint32_t undo_type = 0;
  std::int32_t undo_weight = 0;
  std::string_view user, item;
  UnixMillis time = 0;
  std::string_view session;
  std::optional<std::int32_t> value_centi;
  std::optional<std::uint32_t> duration_s;
  std::string_view mood;
  std::optional<std::uint32_t> mood_intensity;
  std::string_view device, context;
  bool context_is_object = false;
  std::string_view notes, recommendation_id;
};

InteractionView view_of(const Interaction& interaction);
Interaction copy_of(const InteractionView& view);

// The stored form (proto::Interaction) and back. kCorrupt for bytes that are no interaction, or
// name no user, item or type.
void append_interaction(std::string& out, const InteractionView& view);
Result<InteractionView> read_interaction(std::string_view bytes);

}  // namespace millrace
