#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/dead-letters: records that could not be applied, and another try for them.
std::vector<Route> dead_letter_routes(const Deps& deps);

}  // namespace millrace::serving
