#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /api/v1/store/products/: lists, one product, which counts a view, and changes.
std::vector<Route> product_routes(const Deps& deps);

// Deletes the store or product that {id} names, if the caller may: 200 with {"detail": `done`}.
Answer delete_numbered(const Request& request, const Deps& deps, const char* kind,
                       const char* done);

}  // namespace millrace::serving
