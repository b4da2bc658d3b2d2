#pragma once
#include <string>

#include "serving/http/options.h"

namespace millrace::app {

// Who may do what: public routes are open to all, every other one asks for the admin token, as
// `Authorization: Bearer`, `Authorization: Token` or `X-API-Key`. Null without a token: then
// everything is open, and the server listens on loopback only.
serving::Authorize authorize_with(const std::string& admin_token);

}  // namespace millrace::app
