#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// GET /api/recommendations/{user}/.
std::vector<Route> engine_recommendation_routes(const Deps& deps);

}  // namespace millrace::serving
