#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/status and digest.
std::vector<Route> admin_routes(const Deps& deps);

}  // namespace millrace::serving
