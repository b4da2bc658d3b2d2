#pragma once
#include <cstddef>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "processors/engine.h"

namespace millrace::processors {

// Appends a demand for each person who has days of tracked rows wholly beyond retention, and waits
// until those are durable; apply then takes the rows away. At most kExpireAtOnce a partition:
// answers whether there may be more. Other nodes may demand the same: it is done once.
inline constexpr std::size_t kExpireAtOnce = 10'000;
struct Expiry {
  std::size_t people = 0;
  bool more = false;
};
Result<Expiry> demand_expiry(const Engine& engine, ingest::EventLog& log, UnixMillis now);

}  // namespace millrace::processors
