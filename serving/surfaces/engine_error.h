#pragma once
#include "serving/http/message.h"

namespace millrace::serving {

// The errors of the recommendation engine's API (seed 002): {"error": what kind, "details": the
// field and its rule, or what else there is to say}, as application/json. Status and headers stay.
Reply error_and_details(Reply problem);

}  // namespace millrace::serving
