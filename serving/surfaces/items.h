#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/items: what can be recommended, one by one and many at once.
std::vector<Route> item_routes(const Deps& deps);

}  // namespace millrace::serving
