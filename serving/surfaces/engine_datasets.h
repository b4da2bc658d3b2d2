#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// POST /api/upload-dataset/, and what is kept of the files: /api/datasets/.
std::vector<Route> engine_dataset_routes(const Deps& deps);

}  // namespace millrace::serving
