#pragma once
#include <vector>

#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {

// GET /api/movies/ with search, filters and order, the rankings, and what is recommended.
std::vector<Route> movie_list_routes(const MovieSurface& surface);

}  // namespace millrace::serving
