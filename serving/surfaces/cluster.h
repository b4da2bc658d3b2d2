#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/cluster: which nodes there are, where each stands, and what is moving.
std::vector<Route> cluster_routes(const Deps& deps);

}  // namespace millrace::serving
