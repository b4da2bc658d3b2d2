#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/users/{id}: what is known about a person, and how to end that.
std::vector<Route> user_routes(const Deps& deps);

}  // namespace millrace::serving
