#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/target.h"
#include "base/result.h"

namespace millrace::app {

// What one connection is to send, and when.
struct LoadTicket {
  std::optional<std::int64_t> due_us;  // after the run's start, or at once; what is late is too
  std::uint64_t events = 0;
  std::string body;  // NDJSON
};

struct LoadOutcome {
  std::uint64_t sent = 0;  // events
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  std::uint64_t failed = 0;  // events of requests without a good answer
  std::string failure;       // why, of the last of those
  double seconds = 0;
  std::vector<std::uint32_t> latencies_us;  // of requests, ascending

  // Milliseconds within which a share of the requests was answered.
  double latency_ms(double share) const;
};

// Posts events open-loop over as many connections as there are targets, each with its own thread.
// Tickets are handed out in order, one thread at a time; `next` answers nothing at the end. Latency
// counts from when a request was due, not from when a connection got to it, so a server that stalls
// cannot hide it (no coordinated omission).
LoadOutcome run_load(const std::vector<std::unique_ptr<Target>>& connections,
                     const std::function<std::optional<LoadTicket>()>& next,
                     const std::function<void(std::uint64_t sent)>& on_sent);

}  // namespace millrace::app
