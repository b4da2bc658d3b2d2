#include "schemas/event_json.h"
#include "schemas/rfc3339.h"

namespace millrace {
namespace {

void text_member(JsonWriter& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out.member(name, text);
}

}  // namespace

void append_event_details(JsonWriter& out, const Event& event) {
  text_member(out, "session", event.session);
  if (event.value_centi) out.member("value", *event.value_centi / 100.0);
  if (event.duration_s) out.member("duration_s", *event.duration_s);
  text_member(out, "mood", event.mood);
  if (event.mood_intensity) out.member("mood_intensity", *event.mood_intensity);
  text_member(out, "device", event.device);
  if (event.context_is_object) {
    out.raw_member("context", event.context);
  } else {
    text_member(out, "context", event.context);
  }
  text_member(out, "notes", event.notes);
  text_member(out, "recommendation_id", event.recommendation_id);
}

void append_event_json(JsonWriter& out, const Interaction& interaction, std::string_view type) {
  const Event& event = interaction.event;
  out.begin_object();
  out.member("specversion", "1.0");
  text_member(out, "id", event.id);
  text_member(out, "source", event.source);
  out.member("type", type);
  if (event.time) out.member("time", rfc3339(*event.time));
  out.key("data");
  out.begin_object();
  out.member("user", event.user.value);
  out.member("item", event.item.value);
  append_event_details(out, event);
  out.end_object();
  out.end_object();
}

}  // namespace millrace
