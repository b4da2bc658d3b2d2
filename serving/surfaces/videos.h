#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Uploads of shoppable videos (seed 000), whoever's they are, and their files, which are public:
// a <video> element sends no credential.
std::vector<Route> video_routes(const Deps& deps);

}  // namespace millrace::serving
