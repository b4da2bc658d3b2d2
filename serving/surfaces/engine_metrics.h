#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// GET /api/performance-metrics/.
std::vector<Route> engine_metrics_routes(const Deps& deps);

}  // namespace millrace::serving
