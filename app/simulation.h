#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/audience.h"
#include "app/load_run.h"
#include "app/target.h"
#include "base/result.h"

namespace millrace::app {

struct SimulationOptions {
  std::size_t users = 1000;
  std::size_t items = 2000;
  std::size_t products = 20;
  std::uint64_t seed = 1;
  double rate = 100;                // events per second; 0: as fast as they are taken
  double seconds = 30;              // 0: no limit
  std::uint64_t events = 0;         // at most so many; 0: no limit but the time
  std::uint32_t backfill_days = 0;  // 0: events happen now; else so many days until today are
                                    // filled with `events`
  std::size_t batch = 1;            // events in a request
  std::string run;  // part of the events' ids: the same run sent twice is all duplicates
};

// Writes the tickets of a simulation in order: the same options and audience give the same events.
// One thread at a time.
class TicketWriter {
 public:
  // `now` is asked for the time that events happen at, unless they are backfilled. Ends when `stop`
  // says so, the events are out, or (with a rate) the seconds are over.
  TicketWriter(const SimulationOptions& options, Audience& audience,
               std::function<UnixMillis()> now, std::function<bool()> stop);

  std::optional<LoadTicket> next();

 private:
  std::uint64_t events_to_write() const;
  bool is_late() const;

  const SimulationOptions options_;
  Audience* audience_;
  const std::function<UnixMillis()> now_;
  const std::function<bool()> stop_;
  const std::uint64_t total_;  // events
  const UnixMillis start_;
  std::uint64_t written_ = 0;
};

// Up to `count` items that the target has, as an audience sees them. kNotFound when it has none.
Result<std::vector<AudienceItem>> fetch_items(Target& target, std::size_t count);

}  // namespace millrace::app
