#pragma once
#include <string>
#include <vector>

#include "schemas/interaction_table.h"
#include "serving/surfaces/time_zone.h"
#include "state/tracked.h"

namespace millrace::serving {

// The seed's object of what a person's interactions come to, with days and hours as they are in
// `zone`. The formulas: schemas/openapi/interactions.yaml. `sums`: ascending by day.
std::string patterns_body(const std::vector<state::TrackedSums>& sums, const TimeZone& zone,
                          const InteractionTable& table);

}  // namespace millrace::serving
