#include "schemas/interaction_view.h"

#include "base/json_text.h"
#include "schemas/wire.h"

namespace millrace {
namespace {

// Field numbers of proto::Interaction.
enum Field : std::uint32_t {
  kSource = 1,
  kId,
  kType,
  kWeight,
  kUser,
  kItem,
  kTime,
  kSession,
  kValue,
  kDuration,
  kMood,
  kMoodIntensity,
  kDevice,
  kContext,
  kContextIsObject,
  kNotes,
  kRecommendationId,
  kUndoType,
  kUndoWeight
};

std::string_view* text_field(InteractionView& view, std::uint32_t field) {
  switch (field) {
    case kSource: return &view.source;
    case kId: return &view.id;
    case kUser: return &view.user;
    case kItem: return &view.item;
    case kSession: return &view.session;
    case kMood: return &view.mood;
    case kDevice: return &view.device;
    case kContext: return &view.context;
    case kNotes: return &view.notes;
    case kRecommendationId: return &view.recommendation_id;
    default: return nullptr;
  }
}

void set_number(InteractionView& view, std::uint32_t field, std::uint64_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  const auto narrow_signed = static_cast<std::int32_t>(wire::unzigzag(narrow));
  switch (field) {
    case kType: view.type_number = narrow; break;
    case kWeight: view.weight = narrow_signed; break;
    case kUndoType: view.undo_type = narrow; break;
    case kUndoWeight: view.undo_weight = narrow_signed; break;
    case kTime: view.time = wire::unzigzag(value); break;
    case kValue: view.value_centi = narrow_signed; break;
    case kDuration: view.duration_s = narrow; break;
    case kMoodIntensity: view.mood_intensity = narrow; break;
    case kContextIsObject: view.context_is_object = value != 0; break;
    default: break;
  }
}

}  // namespace

InteractionView view_of(const Interaction& interaction) {
  const Event& event = interaction.event;
  InteractionView view;
  view.source = event.source;
  view.id = event.id;
  view.type_number = interaction.type_number;
  view.weight = interaction.weight;
  view.undo_type = interaction.undo_type;
  view.undo_weight = interaction.undo_weight;
  view.user = event.user.value;
  view.item = event.item.value;
  view.time = event.time.value_or(0);
  view.session = event.session;
  view.value_centi = event.value_centi;
  view.duration_s = event.duration_s;
  view.mood = event.mood;
  view.mood_intensity = event.mood_intensity;
  view.device = event.device;
  view.context = event.context;
  view.context_is_object = event.context_is_object;
  view.notes = event.notes;
  view.recommendation_id = event.recommendation_id;
  return view;
}

Interaction copy_of(const InteractionView& view) {
  Interaction interaction;
  interaction.type_number = view.type_number;
  interaction.weight = view.weight;
  interaction.undo_type = view.undo_type;
  interaction.undo_weight = view.undo_weight;
  Event& event = interaction.event;
  event.source = view.source;
  event.id = view.id;
  event.user.value = view.user;
  event.item.value = view.item;
  event.time = view.time;
  event.session = view.session;
  event.value_centi = view.value_centi;
  event.duration_s = view.duration_s;
  event.mood = view.mood;
  event.mood_intensity = view.mood_intensity;
  event.device = view.device;
  event.context = view.context;
  event.context_is_object = view.context_is_object;
  event.notes = view.notes;
  event.recommendation_id = view.recommendation_id;
  return interaction;
}

void append_interaction(std::string& out, const InteractionView& view) {
  wire::Writer write(out);
  write.text(kSource, view.source);
  write.text(kId, view.id);
  write.number(kType, view.type_number);
  write.signed_number(kWeight, view.weight);
  write.text(kUser, view.user);
  write.text(kItem, view.item);
  write.signed_number(kTime, view.time);
  write.text(kSession, view.session);
  if (view.value_centi) write.present(kValue, wire::zigzag(*view.value_centi));
  if (view.duration_s) write.present(kDuration, *view.duration_s);
  write.text(kMood, view.mood);
  if (view.mood_intensity) write.present(kMoodIntensity, *view.mood_intensity);
  write.text(kDevice, view.device);
  write.text(kContext, view.context);
  write.number(kContextIsObject, view.context_is_object ? 1 : 0);
  write.text(kNotes, view.notes);
  write.text(kRecommendationId, view.recommendation_id);
  write.number(kUndoType, view.undo_type);
  write.signed_number(kUndoWeight, view.undo_weight);
}

Result<InteractionView> read_interaction(std::string_view bytes) {
  InteractionView view;
  wire::Reader reader(bytes);
  bool readable = true;
  while (reader.next()) {
    if (reader.is(wire::Kind::kVarint)) {
      set_number(view, reader.field(), reader.value());
    } else if (reader.is(wire::Kind::kBytes)) {
      if (auto* text = text_field(view, reader.field())) {
        *text = reader.bytes();
        readable = readable && is_utf8(*text);
      }
    }
  }
  if (!reader.ok() || !readable) return fail(Code::kCorrupt, "stored bytes are no interaction");
  if (view.user.empty() || view.item.empty() || view.type_number == 0) {
    return fail(Code::kCorrupt, "stored bytes are no interaction: it names no user, item or type");
  }
  return view;
}

}  // namespace millrace
