#pragma once
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /openapi.yaml (all surfaces in one), /openapi/NAME.yaml, and the pages that show them:
// /api/docs/swagger/, /api/docs/redoc/ with their files under /api/docs/assets/VERSION/.
std::vector<Route> docs_routes(const Deps& deps);

// The documents of schemas/openapi/ as they were when this was built.
std::string_view openapi_v1();
std::string_view openapi_access();
std::string_view openapi_accounts();
std::string_view openapi_movies();
std::string_view openapi_shoppable();
std::string_view openapi_store();
std::string_view openapi_interactions();
std::string_view openapi_recommender();
std::string_view openapi_experiments();
std::string_view openapi_engine();

// The pages' files, gzip'd; empty where they could not be fetched when this was built.
std::string_view swagger_ui_js();
std::string_view swagger_ui_css();
std::string_view redoc_js();
std::string_view docs_licenses();

}  // namespace millrace::serving
