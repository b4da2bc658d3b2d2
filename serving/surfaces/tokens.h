#pragma once
#include <memory>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

inline constexpr std::size_t kMaxHashing = 64;  // requests that wait for a password's hash

// /api/token/: logging in, an account's tokens, signing out. Passwords are hashed on `hashing`.
std::vector<Route> token_routes(const Deps& deps, const std::shared_ptr<WorkThread>& hashing);

}  // namespace millrace::serving
