#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// GET /v1/lists/{list}, the same for everyone: JSON, JSON Feed and Atom.
std::vector<Route> list_routes(const Deps& deps);

}  // namespace millrace::serving
