#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Events as they are applied, over WebSocket and Server-Sent Events, and the tickets of browsers.
std::vector<Route> live_routes(const Deps& deps);

}  // namespace millrace::serving
