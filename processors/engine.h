#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/memory_part.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "processors/bell.h"
#include "processors/catalog_runner.h"
#include "processors/commit_queue.h"
#include "processors/event_tap.h"
#include "processors/partition_runner.h"
#include "processors/prequential/prequential.h"
#include "processors/publisher.h"
#include "processors/rankers/ranker.h"
#include "processors/views/live_views.h"
#include "schemas/interaction_table.h"
#include "schemas/position.h"
#include "state/catalog_store.h"
#include "state/checkpoint.h"
#include "state/partition_store.h"

namespace millrace::processors {

struct EngineOptions {
  std::string directory;  // holds one folder per partition and `catalog`
  int apply_threads = 2;
  std::size_t batch_records = 2048;
  CommitLimits commit;
  std::size_t memory_bytes = 512u << 20;  // of all of state: caches, write buffers, tables, views
  // The rules that configuration proposes; a control record makes them the partitions' when they
  // differ.
  Ruleset proposed;
  std::vector<std::pair<std::string, std::int32_t>> interaction_weights;
  RankingOptions ranking;
  PrequentialOptions prequential;
  // Shown every batch that a partition's database is about to write; called by its commit thread.
  std::function<void(std::uint16_t partition, std::string_view batch)> on_batch;
};

// Where a partition stands, for admins and metrics.
struct PartitionStatus {
  LogPartition partition;
  Offset log_start = 0;
  Offset log_end = 0;
  Offset visible = 0;
  Offset committed = 0;
  double dedupe_window_hours = 0;
};

// Everything behind the log: stores, runners, views and their threads. Reads are thread-safe and
// never wait for a writer.
class Engine {
 public:
  // Opens or creates the state and checks it against the log: kNotFound when that starts behind the
  // state. The log, clock and metrics outlive it.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, ingest::EventLog& log,
                                              const Clock& clock, Metrics& metrics);
  ~Engine();  // stop()

  // Starts the threads, catches up with the log's end as of now, and puts the proposed rules in
  // force. `progress(applied, total)` is called before, and about once a second meanwhile.
  Status start(const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  // For good. The log may then go before the engine.
  void stop();

  // Not empty when a partition has stopped for good (corrupt log) or commits fail: ingest must
  // refuse.
  std::string failure() const;

  // What one request reads, taken once. Both may be empty.
  Result<ReadState> read(const std::string& user, const std::string& session = {}) const {
    return views_->read(user, session);
  }

  // The models that readers get from now on.
  void use(std::shared_ptr<const LinearModel> model) { views_->use(std::move(model)); }
  void use(std::shared_ptr<const SequenceModel> model) { views_->use(std::move(model)); }

  Publisher& publisher() { return publisher_; }
  const Publisher& publisher() const { return publisher_; }
  std::shared_ptr<const InteractionTable> table() const { return table_; }
  const state::CatalogStore& catalog() const { return *catalog_; }
  const state::PartitionStore& store(std::uint16_t partition) const { return *stores_[partition]; }
  std::uint16_t partitions() const { return static_cast<std::uint16_t>(stores_.size()); }
  const state::NameTable& items() const { return items_; }
  const state::CatalogNames& names() const { return names_; }
  const LiveViews& views() const { return *views_; }
  const Prequential& prequential() const { return *prequential_; }

  // Events as they become visible, for one reader.
  EventTap& tap() { return tap_; }
  // Opens it between two batches: hears of all events behind the position that this answers. Waits
  // while a checkpoint is made.
  Position open_tap(std::size_t max_bytes);

  void digest_at(std::uint16_t partition, Offset offset,
                 std::function<void(Result<state::Digest>)> done);
  // Publishes and writes everything applied so far.
  Status commit_all();
  // Copies of all databases of one instant, under `directory`, flushed and fsynced. Apply pauses
  // for it.
  Result<state::CheckpointManifest> checkpoint(const std::string& directory);
  std::vector<PartitionStatus> status() const;
  std::vector<MemoryPart> memory_parts() const;  // each name once

 private:
  Engine(const EngineOptions& options, ingest::EventLog& log, const Clock& clock, Metrics& metrics);
  Status open_stores();
  Status replay_tail(std::uint16_t partition);
  Status propose_ruleset();
  Status commit_paused();  // with pause_ held exclusively
  void run_partitions(const std::stop_token& stop, std::size_t thread);
  void run_catalog(const std::stop_token& stop);
  void wake_those_behind();
  std::shared_lock<std::shared_mutex> enter_step();
  std::unique_lock<std::shared_mutex> enter_pause();
  void fail_with(const std::string& reason);
  std::uint64_t total_lag() const;
  void refresh_gauges();

  const EngineOptions options_;
  ingest::EventLog& log_;
  const Clock& clock_;
  Metrics& metrics_;
  const std::size_t apply_threads_;
  std::vector<Bell> bells_;  // of each apply thread, and the catalog's behind them

  state::RocksShared shared_;
  state::NameTable items_;
  state::CatalogNames names_;
  std::unique_ptr<state::CatalogStore> catalog_;
  std::vector<std::unique_ptr<state::PartitionStore>> stores_;
  std::unique_ptr<LiveViews> views_;
  std::shared_ptr<const InteractionTable> table_;
  std::vector<std::unique_ptr<PartitionRunner>> runners_;
  std::unique_ptr<CatalogRunner> catalog_runner_;
  CommitQueue commits_;  // behind the runners: its last job may still call one
  EventTap tap_;
  TestQueue tests_;
  Publisher publisher_;

  mutable std::mutex mutex_;  // over failure_
  std::string failure_;
  bool stopped_ = false;
  std::mutex
      turnstile_;  // whoever wants a pause holds it, so that steps cannot starve a checkpoint
  std::shared_mutex pause_;  // held shared by a step, exclusively by a checkpoint
  std::vector<std::jthread> threads_;
  std::unique_ptr<Prequential> prequential_;
};

}  // namespace millrace::processors
