#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ingest/event_log.h"
#include "schemas/interaction_table.h"
#include "state/catalog_store.h"
#include "state/partition_store.h"

namespace millrace::processors {

// A merge on its way: the events of one person (Demand::erase) are appended again as another's
// (Demand::into), then the first is erased. One thread.
//
// Exactly once: a copy's id is "merge:PARTITION:OFFSET" of the event that it copies, so that those
// which a crash, a retry or another node makes again are duplicates (as long as the window for
// duplicates is; beyond it they would count again). Nothing is lost: the erasure says how many
// events were there when they were copied, and does nothing where more have come by the time that
// it is applied; then those are copied, too. What is copied is the person's history: events that
// retention has dropped are not, tracked rows with a retention of their own come as one event each.
// Until the erasure is applied both people have the events.
class PersonMerge {
 public:
  // Those it is given outlive it.
  PersonMerge(state::Demand demand, ingest::EventLog& log,
              const std::vector<state::PartitionStore*>& partitions,
              const std::vector<std::pair<std::string, std::int32_t>>& interaction_weights);

  // As far as it goes without waiting; true when it is done. A failure (log not writable) may be
  // tried again.
  Result<bool> step();

 private:
  struct Copy {
    Offset of = 0;
    Interaction event;
  };
  Result<std::vector<Copy>> copies() const;
  Status add_history(std::vector<Copy>& out) const;
  Status add_tracked(std::vector<Copy>& out) const;
  Copy copy_of(Offset offset, std::uint32_t type, bool tracked) const;
  Status append(const std::vector<Copy>& copies);

  state::Demand demand_;
  ingest::EventLog* log_;
  const state::PartitionStore* from_;
  std::uint16_t to_;
  InteractionTable table_;
  Offset copied_ = -1;   // events up to here are in the other's partition
  Offset wait_for_ = 0;  // what the partition must have applied before the next look
};

}  // namespace millrace::processors
