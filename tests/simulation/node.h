#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/acceptor.h"
#include "processors/catalog_runner.h"
#include "processors/commit_queue.h"
#include "processors/partition_runner.h"
#include "processors/publisher.h"
#include "processors/views/live_views.h"
#include "state/catalog_store.h"
#include "state/partition_store.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/dice.h"

namespace millrace::simulation {

// What one run has once.
struct Surroundings {
  ManualClock& clock;
  Topics& topics;
  Dice& dice;
  const state::RocksShared& disks;  // in memory
};

// A node's parts while it runs: Millrace's own, put together as Engine does, but driven by the
// scheduler step by step. Destroyed, it has been killed: nothing is written on the way out.
struct Incarnation {
  Incarnation(const Surroundings& around, std::function<void()> writing);

  Metrics metrics;
  ClusterLog log;
  state::NameTable items;
  state::CatalogNames names;
  std::unique_ptr<state::CatalogStore> catalog;
  std::vector<std::unique_ptr<state::PartitionStore>> stores;
  std::unique_ptr<processors::LiveViews> views;
  std::vector<std::unique_ptr<processors::PartitionRunner>> runners;
  std::unique_ptr<processors::CatalogRunner> catalog_runner;
  processors::CommitQueue commits;
  processors::Publisher publisher;
  std::unique_ptr<ingest::Acceptor> acceptor;
};

// A machine: a disk that outlives the incarnations of the node on it.
class Machine {
 public:
  Machine(const Surroundings& around, int number) : around_(around), number_(number) {}

  int number() const { return number_; }
  bool up() const { return running_ != nullptr; }
  Incarnation& running() { return *running_; }
  // How many incarnations there have been.
  int age() const { return age_; }

  // From what is on the disk; the log is checked against it, as on every start.
  Status start();
  // Whether it would start if the cluster held these topics.
  Status would_start_with(Topics& topics);
  // What was on its way to the log stays on its way.
  std::deque<InFlight> kill();
  // A database loses writes since the last sync, from some point on.
  std::deque<InFlight> cut_power();
  std::deque<InFlight> wipe();  // kill, and an empty disk
  // This machine's disk becomes a copy of `donor`'s. Both are synced then.
  void restore_from(Machine& donor);

  void die_at_write(std::uint64_t n) { writes_left_ = n; }  // 0: not
  void fill_disk(bool full) { full_ = full; }
  bool disk_is_full() const { return full_; }
  Offset synced(LogPartition partition) const;

  // Commits what is published, as before a checkpoint. False: the disk would not take it.
  bool commit_all();
  std::pair<Offset, state::Digest> committed(LogPartition partition);

 private:
  struct Database {
    std::vector<std::pair<std::string, std::string>> rows;  // as it was made
    std::vector<std::string> batches;                       // every write since
    std::size_t synced = 0;                                 // of these survive a power cut
    Offset synced_at = 0;
  };
  Result<std::unique_ptr<Incarnation>> make(const Surroundings& around);
  Status open(Incarnation& made);
  void assemble(Incarnation& made, const Surroundings& around);
  Status watch(state::Db& db, LogPartition partition);
  void count_write();
  std::string folder(LogPartition partition) const;
  void write_disk();

  const Surroundings& around_;
  const int number_;
  std::map<LogPartition, Database> disk_;
  int disks_ = 0;
  int age_ = 0;
  std::uint64_t writes_left_ = 0;
  bool full_ = false;
  std::unique_ptr<Incarnation> running_;
};

}  // namespace millrace::simulation
