#pragma once
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /health/, /ready/, /metrics, /openapi.yaml (that of /v1) and /openapi/NAME.yaml.
std::vector<Route> meta_routes(const Deps& deps);

// The documents of schemas/openapi/ as they were when this was built.
std::string_view openapi_v1();
std::string_view openapi_accounts();
std::string_view openapi_movies();

}  // namespace millrace::serving
