#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/jobs: work that takes long, such as the training of models, to be begun, watched and
// cancelled.
std::vector<Route> job_routes(const Deps& deps);

}  // namespace millrace::serving
