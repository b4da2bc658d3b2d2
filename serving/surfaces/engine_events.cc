#include "serving/surfaces/engine_events.h"

#include <string>
#include <utility>

#include "schemas/event_json.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/engine_event.h"
#include "serving/surfaces/engine_ids.h"
#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {
namespace {

// What the two operations differ in.
struct Form {
  std::string_view type_field;
  bool numbered_users;  // user_id is a positive integer
  int status;
  const char* done;
};
constexpr Form kInteraction{"interaction_type", true, 201, "recorded"};
constexpr Form kStreaming{"event_type", false, 200, "processed"};

Result<Event> event_in(const Request& request, const Deps& deps, const Form& form) {
  if (body_kind(request.header("content-type").value_or(std::string_view())) != BodyKind::kJson) {
    return fail(Code::kInvalid, "must be application/json", "Content-Type");
  }
  auto json = parse_json(request.body);
  if (!json || json->kind != JsonKind::kObject) {
    return fail(Code::kInvalid, "must be a JSON object", "body");
  }
  if (const Json* user = json->find("user_id"); user != nullptr && form.numbered_users) {
    MILLRACE_CHECK(numbered_user(user->text).map([](const auto&) {}));
  }
  std::vector<EngineField> fields{{form.type_field, JsonText{}}};
  std::string context;
  for (const auto& [name, value] : json->members) {
    const bool other_type =
        name != form.type_field && (name == "interaction_type" || name == "event_type");
    if (other_type) continue;
    if (value.kind == JsonKind::kObject && name == "context") {
      JsonWriter out(context);
      append_json(out, value);
      fields.emplace_back(name, JsonText{JsonKind::kObject, context});
    } else {
      fields.emplace_back(name, value.scalar());
    }
  }
  return engine_event(fields, deps);
}

Reply recorded(const Form& form, const Event& event) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("status", form.done);
  out.member("event_id", event.id);
  out.member("item", event.item.value);
  out.end_object();
  return json_reply(std::move(body), form.status);
}

Answer post_event(const Request& request, const Deps& deps, const Form& form) {
  auto event = event_in(request, deps, form);
  if (!event) return problem(event.error());
  const auto& caller = request.caller;
  if (!caller.may_ingest() && !caller.is(event->user.value)) {
    return problem(
        {Code::kForbidden, "this credential sends events of its own account only", "user_id"});
  }
  auto key = event_key(request);
  if (!key) return problem(key.error());
  event->id = key->empty() ? deps.ids->mint() : *key;
  event->source = kApiSource;
  const Event known = *event;
  return act(deps, *std::move(event), known.id, [form, known] { return recorded(form, known); });
}

}  // namespace

std::vector<Route> engine_event_routes(const Deps& deps) {
  const auto with = [&deps](const Form& form) -> Handler {
    return [deps, form](const Request& request) { return post_event(request, deps, form); };
  };
  return {
      {"POST", "/api/interaction/", Policy::kIngest, with(kInteraction)},
      {"POST", "/api/streaming-event/", Policy::kIngest, with(kStreaming)},
  };
}

}  // namespace millrace::serving
