#pragma once
#include <vector>

#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {

// /api/movies/{id}/watch/, /api/movies/{id}/unwatch/ and /api/watch-history/.
std::vector<Route> watch_history_routes(const MovieSurface& surface);

}  // namespace millrace::serving
