#pragma once
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/rules: what operators say of ranked answers (schemas/ranking_rule.h), one rule an id.
std::vector<Route> ranking_rule_routes(const Deps& deps);

}  // namespace millrace::serving
