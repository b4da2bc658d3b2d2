#pragma once
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /health/, /ready/, /metrics and /openapi.yaml.
std::vector<Route> meta_routes(const Deps& deps);

// schemas/openapi/v1.yaml as it was when this was built.
std::string_view openapi_v1();

}  // namespace millrace::serving
