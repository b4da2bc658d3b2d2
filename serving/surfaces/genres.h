#pragma once
#include <vector>

#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {

// /api/genres/.
std::vector<Route> genre_routes(const MovieSurface& surface);

}  // namespace millrace::serving
