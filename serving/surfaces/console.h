#pragma once
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /console/, the web page of serving/console/, and its files under /console/assets/VERSION/. It
// works by what the other surfaces offer, with the credential of whoever looks at it.
std::vector<Route> console_routes(const Deps& deps);

// Its files, gzip'd; empty where their packages could not be fetched when this was built.
std::string_view console_js();
std::string_view console_css();
std::string_view console_licenses();

}  // namespace millrace::serving
