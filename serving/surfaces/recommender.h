#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// The recommendation service of seed 004: /interaction-recommendations and
// /category-recommendations for everybody; /interactions, /products and the same under /ai for who
// has the secret. Its product N is the item `product:N`, which the store API changes, too.
std::vector<Route> recommender_routes(const Deps& deps);

}  // namespace millrace::serving
