#include "serving/surfaces/engine_event.h"

#include <string>

#include "schemas/event_draft.h"
#include "serving/surfaces/engine_ids.h"

namespace millrace::serving {
namespace {

struct Name {
  std::string_view here;
  std::string_view of_event;  // what errors of events call it
  bool attribute = false;     // of the CloudEvent, not of its data
};

constexpr std::string_view kData = "data.";
constexpr Name kNames[] = {
    {"user_id", "data.user"},
    {"product_id", "data.item"},
    {"interaction_type", "type", true},
    {"event_type", "type", true},
    {"session_id", "data.session"},
    {"device_type", "data.device"},
    {"context", "data.context"},
    {"value", "data.value"},
    {"recommendation_id", "data.recommendation_id"},
    {"timestamp", "time", true},
};

}  // namespace

Result<Event> engine_event(const std::vector<EngineField>& fields, const Deps& deps) {
  EventDraft draft;
  draft.has_data();
  std::string_view type = "interaction_type";
  for (const auto& [name, value] : fields) {
    for (const Name& known : kNames) {
      if (known.here != name) continue;
      if (known.of_event == "type") type = name;
      if (known.attribute) {
        draft.attribute(known.of_event, value);
      } else {
        draft.data(known.of_event.substr(kData.size()), value);
      }
    }
  }
  auto outcome = std::move(draft).finish(false).event;
  if (!outcome) {
    auto error = outcome.error();
    for (const Name& known : kNames) {
      const bool other_type = known.of_event == "type" && known.here != type;
      if (known.of_event == error.field && !other_type) error.field = known.here;
    }
    return tl::unexpected<Error>(std::move(error));
  }
  MILLRACE_TRY(outcome->item, product_of(outcome->item.value, deps));
  if (deps.engine->table()->find(outcome->type) != nullptr) return *std::move(outcome);
  std::string known;
  for (const auto& row : deps.engine->table()->rows()) {
    known += (known.empty() ? "" : ", ") + row.name;
  }
  return fail(Code::kInvalid, "must be one of " + known, std::string(type));
}

}  // namespace millrace::serving
