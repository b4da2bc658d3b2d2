#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/keys: keys of services, each with scopes (ingest, read, admin).
std::vector<Route> key_routes(const Deps& deps);

}  // namespace millrace::serving
