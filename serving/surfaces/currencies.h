#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/currencies: what prices can be shown in.
std::vector<Route> currency_routes(const Deps& deps);

}  // namespace millrace::serving
