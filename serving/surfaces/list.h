#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Every route of every surface: a new surface is one line in list.cc.
std::vector<Route> all_routes(const Deps& deps);

}  // namespace millrace::serving
