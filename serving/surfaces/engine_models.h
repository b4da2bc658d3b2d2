#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// POST /api/enhanced-train/, its jobs (/api/jobs/), GET /api/model-metrics/, and the versions of
// models (/api/models/).
std::vector<Route> engine_model_routes(const Deps& deps);

}  // namespace millrace::serving
