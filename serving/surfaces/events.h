#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// POST /v1/events: CloudEvents in.
std::vector<Route> event_routes(const Deps& deps);

}  // namespace millrace::serving
