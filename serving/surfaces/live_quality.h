#pragma once
#include "schemas/json_writer.h"
#include "serving/deps.h"

namespace millrace::serving {

// The member `live`: how good each ranker's predictions were on this node since it started, and the
// weights of hybrid_ensemble with what they rest on.
void append_live_quality(JsonWriter& out, const Deps& deps);

}  // namespace millrace::serving
