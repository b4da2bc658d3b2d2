#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /health/, /ready/, /metrics.
std::vector<Route> meta_routes(const Deps& deps);

}  // namespace millrace::serving
