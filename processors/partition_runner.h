#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "ingest/event_log.h"
#include "processors/apply.h"
#include "processors/commit_queue.h"
#include "processors/publisher.h"
#include "state/partition_store.h"

namespace millrace::processors {

// When a commit is cut: at whichever comes first. Where commits take long the interval grows, up to
// a second, until a partition's take at most a fortieth of the time.
struct CommitLimits {
  int interval_ms = 100;
  std::size_t events = 50'000;
  std::size_t dirty_bytes = 16u << 20;
};

// What a runner works with; all of it outlives the runner.
struct RunnerParts {
  ingest::EventLog* log = nullptr;
  state::PartitionStore* store = nullptr;
  ViewSink* views = nullptr;
  CommitQueue* commits = nullptr;
  Publisher* publisher = nullptr;
  const Clock* clock = nullptr;  // for metrics only: apply never sees it
  Metrics* metrics = nullptr;
  std::function<void()> wake;  // there may be something to do again
  EventTap* tap = nullptr;     // null: nobody listens
  TestQueue* tests = nullptr;  // null: nothing is predicted
};

// Digests are kept at offsets divisible by this.
inline constexpr Offset kDigestEvery = 65'536;

// Drives one partition from the log to readers: read a batch, apply it, publish it, now and then
// cut a commit. step() belongs to one thread at a time; the rest is thread-safe.
class PartitionRunner {
 public:
  PartitionRunner(std::uint16_t partition, const RunnerParts& parts, CommitLimits limits,
                  std::size_t batch_records);

  // Checks that the log is the one applied: neither trimmed past us, nor truncated, nor another
  // one.
  Status check_log() const;

  // One batch. True when there was one. An error stops the partition: it must not go on.
  Result<bool> step();

  // Milliseconds until a cut is due by time; -1 when nothing waits for one.
  int commit_due_ms() const;
  void commit_now();  // publishes and cuts, whatever the limits say

  // The facts' digest at `offset`: kept ones at once, that of the current position after a commit
  // which is cut for it, a future one when it is reached. kNotFound for other past offsets. `done`
  // is called from any thread.
  void digest_at(Offset offset, std::function<void(Result<state::Digest>)> done);

  std::uint64_t lag() const;
  const LogPartition& partition() const { return partition_; }
  const state::PartitionStore& store() const { return *parts_.store; }

 private:
  Offset next_cut(Offset from) const;
  bool digest_wanted(Offset at) const;
  void cut();
  Status write(const state::Commit& commit);
  void written();
  void refresh_metrics(const std::vector<ingest::StoredRecord>& batch, std::int64_t started_us);

  const LogPartition partition_;
  const RunnerParts parts_;
  const CommitLimits limits_;
  const std::size_t batch_records_;
  Applier applier_;

  std::atomic<int> committing_{0};               // commits frozen and not yet written
  std::atomic<std::int64_t> commit_cost_us_{0};  // of the last one, to write
  std::size_t events_since_cut_ = 0;
  std::int64_t first_change_us_ = 0;  // steady time of the oldest change not yet cut; 0: none

  mutable std::mutex digests_mutex_;
  std::multimap<Offset, std::function<void(Result<state::Digest>)>> wanted_digests_;

  ApplyFigures reported_;
  Counter& events_applied_;
  Counter& duplicates_id_;
  Counter& duplicates_offset_;
  Counter& late_;
  Counter& dead_letters_;
  Gauge& lag_offsets_;
  Gauge& lag_seconds_;
  Histogram& batch_seconds_;
  Histogram& visible_seconds_;
};

}  // namespace millrace::processors
