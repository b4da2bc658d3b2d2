#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// The movie recommender of seed 001: /api/, /api/movies/, /api/ratings/, /api/watch-history/ and
// /api/genres/.
std::vector<Route> movie_routes(const Deps& deps);

}  // namespace millrace::serving
