#pragma once
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "schemas/event.h"
#include "schemas/json_value.h"
#include "serving/deps.h"

namespace millrace::serving {

// A field of an interaction as the recommendation engine's API names it, in JSON or in a CSV row.
using EngineField = std::pair<std::string_view, JsonText>;

// The event that the fields say: user_id, product_id and interaction_type (or event_type), perhaps
// session_id, device_type, context, value, recommendation_id and timestamp; others are ignored.
// kInvalid names the field. Whether there is such a type, the interaction table says.
Result<Event> engine_event(const std::vector<EngineField>& fields, const Deps& deps);

}  // namespace millrace::serving
