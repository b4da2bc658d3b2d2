#pragma once
#include <atomic>
#include <cstdint>

#include "base/metrics.h"
#include "ingest/event_log.h"
#include "processors/commit_queue.h"
#include "processors/publisher.h"
#include "state/catalog_store.h"
#include "state/partition_store.h"

namespace millrace::processors {

// Drives the catalog from its log to readers, and carries its demands (erase) to the partitions of
// the people they concern as control records. One thread.
class CatalogRunner {
 public:
  struct Parts {
    ingest::EventLog* log = nullptr;
    state::CatalogStore* store = nullptr;
    Publisher* publisher = nullptr;
    std::vector<state::PartitionStore*> partitions;
    Metrics* metrics = nullptr;
  };
  CatalogRunner(Parts parts, int commit_interval_ms);

  Status check_log() const;
  Result<bool> step();  // one batch; true when there was one
  // Carries what is still to be carried. A failure (log not writable) is tried again by the next
  // call.
  Status carry();
  int commit_due_ms() const;  // -1: nothing waits
  Status commit_if_due();
  std::uint64_t lag() const;  // thread-safe

 private:
  Parts parts_;
  const int interval_ms_;
  std::atomic<Offset> applied_ = 0;
  Offset carried_to_ = -1;  // demands up to here are in the partitions' logs
  std::int64_t first_change_us_ = 0;
  Gauge& lag_offsets_;
};

}  // namespace millrace::processors
