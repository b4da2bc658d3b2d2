#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/blocked: the addresses whose requests are refused.
std::vector<Route> blocked_routes(const Deps& deps);

}  // namespace millrace::serving
