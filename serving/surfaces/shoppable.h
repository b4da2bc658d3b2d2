#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /api/v1/shoppable-videos/: the feed of seed 000, and what people do with its videos. A video is
// the item `video:N`, and its parent its product, the item `product:ID`; its attributes
// `product_id` and `video_file` name that product and where it plays.
std::vector<Route> shoppable_routes(const Deps& deps);

}  // namespace millrace::serving
