#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /interactions/: seed 003. What is tracked is an event like any other, of content `content:ID`
// unless its id names another kind; a person's rows are read from their history.
std::vector<Route> interaction_routes(const Deps& deps);

}  // namespace millrace::serving
