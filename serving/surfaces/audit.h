#pragma once
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /v1/admin/audit, its reports, and /v1/admin/anomalies: what administrators have done, and what
// the server has noticed.
std::vector<Route> audit_routes(const Deps& deps);

// Writes a report when the last one, or `start` where there is none, is `interval_ms` old. Waits
// until it is in the log: not on the server's threads. Several nodes write one.
Status audit_if_due(const Deps& deps, UnixMillis start, std::int64_t interval_ms);

}  // namespace millrace::serving
