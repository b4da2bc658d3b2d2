#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// PUT /v1/users/{id}: what is said of a person. POST /v1/users/{id}/merge: one into another.
// GET /v1/users/{id}/export: all that is known.
std::vector<Route> people_routes(const Deps& deps);

}  // namespace millrace::serving
