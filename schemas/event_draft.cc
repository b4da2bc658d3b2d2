#include "schemas/event_draft.h"

#include <algorithm>

#include "schemas/json_grammar.h"
#include "schemas/rules.h"

namespace millrace {
namespace {

bool is_json_media_type(std::string_view text) {
  std::string type(text.substr(0, text.find(';')));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  type.erase(type.find_last_not_of(' ') + 1);
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

// An id that may be left empty.
Result<std::string> optional_id(JsonText value, std::string_view field) {
  if (value.kind == JsonKind::kString && value.text.empty()) return std::string();
  return id_of(value, field);
}

}  // namespace

void EventDraft::refuse(std::string_view field, std::string rule) {
  if (!error_) error_ = Error{Code::kInvalid, std::move(rule), std::string(field)};
}

void EventDraft::refuse_data(std::string_view name, std::string rule) {
  refuse("data." + std::string(name), std::move(rule));
}

template <class Target, class Value>
void EventDraft::keep(Target& target, Result<Value> value) {
  if (value.has_value()) {
    target = static_cast<Target>(std::move(value.value()));
  } else if (!error_) {
    error_ = std::move(value.error());
  }
}

void EventDraft::attribute(std::string_view name, JsonText value) {
  if (value.kind == JsonKind::kNull) return;
  if (name == "id") return keep(event_.id, optional_id(value, name));
  if (name == "source") return keep(event_.source, line_of(value, name, kMaxIdBytes));
  if (name == "type") return keep_type(value);
  if (name == "time") return keep(event_.time, time_of(value, name));
  if (name == "specversion") {
    has_specversion_ = true;
    if (value.kind != JsonKind::kString || value.text != "1.0") refuse(name, "must be \"1.0\"");
  } else if (name == "datacontenttype") {
    if (value.kind != JsonKind::kString || !is_json_media_type(value.text)) {
      refuse(name, "must be application/json");
    }
  } else if (name == "data_base64") {
    refuse(name, "must not be given: data comes as a JSON object");
  }
}

void EventDraft::keep_type(JsonText value) {
  const Status form = check_type_name(value.kind == JsonKind::kString ? value.text : "", "type");
  if (form.has_value()) {
    event_.type = value.text;
  } else if (!error_) {
    error_ = form.error();
  }
}

void EventDraft::data(std::string_view name, JsonText value) {
  if (value.kind == JsonKind::kNull) return;
  if (name == "user") return keep(event_.user, id_of(value, "data.user"));
  if (name == "item") return keep(event_.item, id_of(value, "data.item"));
  if (name == "session") return keep(event_.session, optional_id(value, "data.session"));
  if (name == "context") return keep_context(value);
  if (name == "value") return keep(event_.value_centi, centi_of(value, "data.value"));
  if (name == "duration_s") return keep(event_.duration_s, seconds_of(value, "data.duration_s"));
  if (name == "device") return keep(event_.device, line_of(value, "data.device", kMaxIdBytes));
  if (name == "mood") return keep(event_.mood, line_of(value, "data.mood", kMaxIdBytes));
  if (name == "mood_intensity") {
    return keep(event_.mood_intensity,
                integer_of(value, "data.mood_intensity", 1, 10).map([](auto n) {
                  return static_cast<std::uint32_t>(n);
                }));
  }
  if (name == "notes") return keep(event_.notes, text_of(value, "data.notes", kMaxTextBytes));
  if (name == "recommendation_id") {
    return keep(event_.recommendation_id, line_of(value, "data.recommendation_id", kMaxIdBytes));
  }
}

void EventDraft::keep_context(JsonText value) {
  if (value.kind != JsonKind::kObject) {
    event_.context_is_object = false;
    return keep(event_.context, text_of(value, "data.context", kMaxTextBytes));
  }
  event_.context_is_object = true;
  keep(event_.context, minify_json(value.text));
  if (event_.context.size() > kMaxTextBytes) {
    refuse("data.context", "must be at most 4096 bytes of JSON without white space");
  }
}

void EventDraft::require(bool there, std::string_view field) {
  if (!there) refuse(field, "is required");
}

EventOutcome EventDraft::finish(bool must_have_specversion) && {
  if (must_have_specversion) require(has_specversion_, "specversion");
  require(!event_.type.empty(), "type");
  require(has_data_, "data");
  require(!event_.user.value.empty(), "data.user");
  require(!event_.item.value.empty(), "data.item");
  if (event_.type == "rate") {
    require(event_.value_centi.has_value(), "data.value");
    const int stars = event_.value_centi.value_or(50);
    if (stars < 50 || stars > 500) refuse("data.value", "must be a rating from 0.5 to 5");
  }
  std::string id = event_.id;
  if (error_) return {std::move(id), tl::unexpected<Error>(std::move(*error_))};
  return {std::move(id), std::move(event_)};
}

}  // namespace millrace
