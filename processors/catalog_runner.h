#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "ingest/event_log.h"
#include "processors/commit_queue.h"
#include "processors/merge.h"
#include "processors/publisher.h"
#include "state/catalog_store.h"
#include "state/partition_store.h"

namespace millrace::processors {

// Drives the catalog from its log to readers, and carries its demands (erase, merge) to the
// partitions of the people they concern as control records. One thread.
class CatalogRunner {
 public:
  struct Parts {
    ingest::EventLog* log = nullptr;
    state::CatalogStore* store = nullptr;
    Publisher* publisher = nullptr;
    std::vector<state::PartitionStore*> partitions;
    Metrics* metrics = nullptr;
    // What configuration adds to the interaction table: copies of events weigh what it says.
    std::vector<std::pair<std::string, std::int32_t>> interaction_weights{};
  };
  CatalogRunner(Parts parts, int commit_interval_ms);

  Status check_log() const;
  Result<bool> step();  // one batch; true when there was one
  // Carries what is still to be carried, in the catalog's order. False: a merge waits for its
  // partition, call again soon. A failure (log not writable) is tried again by the next call.
  Result<bool> carry();
  int commit_due_ms() const;  // -1: nothing waits
  Status commit_if_due();
  std::uint64_t lag() const;  // thread-safe

 private:
  Status carry_erasures(std::span<const state::Demand> demands);

  Parts parts_;
  const int interval_ms_;
  std::atomic<Offset> applied_ = 0;
  Offset carried_to_ = -1;            // demands up to here are in the partitions' logs
  std::optional<PersonMerge> merge_;  // under way
  std::int64_t first_change_us_ = 0;
  Gauge& lag_offsets_;
};

}  // namespace millrace::processors
