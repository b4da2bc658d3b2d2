#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// GET /v1/feed/{user}, /v1/recommendations/{user} and /v1/items/{id}/similar.
std::vector<Route> recommendation_routes(const Deps& deps);

}  // namespace millrace::serving
