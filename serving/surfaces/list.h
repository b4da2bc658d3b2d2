#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Every route of every surface: a new surface is one line in list.cc.
std::vector<Route> all_routes(const Deps& deps);

// The names that --listen knows surfaces by, as "v1, accounts, …".
std::string surface_names();
bool is_surface(std::string_view name);

// Those of the surfaces named, and /health, /ready and /metrics; of all when none is named.
std::vector<Route> only(std::vector<Route> routes, const std::vector<std::string>& surfaces);

}  // namespace millrace::serving
