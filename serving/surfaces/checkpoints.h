#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/checkpoint and checkpoints: taking one, and copying it to a node that begins.
std::vector<Route> checkpoint_routes(const Deps& deps);

}  // namespace millrace::serving
