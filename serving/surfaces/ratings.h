#pragma once
#include <vector>

#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {

// /api/movies/{id}/rate/, /api/movies/{id}/ratings/ and /api/ratings/.
std::vector<Route> rating_routes(const MovieSurface& surface);

}  // namespace millrace::serving
