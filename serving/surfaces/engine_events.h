#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// POST /api/interaction/ and /api/streaming-event/.
std::vector<Route> engine_event_routes(const Deps& deps);

}  // namespace millrace::serving
