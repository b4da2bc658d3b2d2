#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/attribution: what came of the answers that recommended something.
std::vector<Route> attribution_routes(const Deps& deps);

}  // namespace millrace::serving
