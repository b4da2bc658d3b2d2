#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /api/users/, /api/token/ and /v1/admin/keys: accounts, their tokens, services' keys. Passwords
// are hashed on one thread of their own.
std::vector<Route> account_routes(const Deps& deps);

}  // namespace millrace::serving
