#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /api/ab-test/: experiments (seed 002 §4): create, list, read with results, stop.
std::vector<Route> experiment_routes(const Deps& deps);

}  // namespace millrace::serving
