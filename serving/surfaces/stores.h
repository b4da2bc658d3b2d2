#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// The store API of seed 004: /api/v1/store/, its products, and the currencies that prices are shown
// in.
std::vector<Route> store_routes(const Deps& deps);

}  // namespace millrace::serving
