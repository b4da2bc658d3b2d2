#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "ingest/event_log.h"
#include "tests/simulation/dice.h"

namespace millrace::simulation {

// A node dies here. Thrown out of its writes, and caught by the scheduler, which forgets it.
struct Killed {};

// What the cluster holds of `interactions` and `catalog`. A value: a copy is another cluster, which
// may lose its end or hold other records.
class Topics {
 public:
  Topics(const Clock& clock, std::uint16_t partitions);

  Offset land(const ingest::Append& append);
  const std::vector<ingest::StoredRecord>& all(LogPartition partition) const;  // trimmed ones, too
  Offset start(LogPartition partition) const { return topics_.at(partition).start; }
  Offset end(LogPartition partition) const;
  void trim(LogPartition partition, Offset start) { topics_.at(partition).start = start; }
  void truncate(LogPartition partition, Offset end) {
    topics_.at(partition).records.resize(static_cast<std::size_t>(end));
  }
  std::uint16_t partitions() const { return partitions_; }
  std::vector<LogPartition> names() const;

  std::function<UnixMillis()> log_time;  // may step back, as a broker's clock does

 private:
  struct Kept {
    Offset start = 0;
    std::vector<ingest::StoredRecord> records;
  };
  const std::uint16_t partitions_;
  std::map<LogPartition, Kept> topics_;
};

// An append on its way to the cluster, by partition. Requests of one client arrive in order.
struct InFlight {
  std::uint64_t number = 0;
  std::deque<std::pair<std::size_t, ingest::Append>> left;  // place in the request
  std::vector<Offset> offsets;
  std::function<void(ingest::AppendResult)> done;
};

// The log as one incarnation of a node sees it: what it appends is on its way until land(), and
// not answered until answer(); what others append it hears of late. It runs on the scheduler's
// thread: callbacks come from its steps.
class ClusterLog final : public ingest::EventLog {
 public:
  // `writing` is called around each record that lands, and may throw Killed.
  ClusterLog(Topics& topics, Dice& dice, std::function<void()> writing);

  // Until the end of the scope an append is answered at once, since its caller waits: landed,
  // refused, or landed in part or not yet and "outcome unknown".
  class Waiting {
   public:
    explicit Waiting(ClusterLog& log) : log_(log) { ++log_.waiting_; }
    ~Waiting() { --log_.waiting_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    ClusterLog& log_;
  };

  void land();     // some of what is first on its way
  void answer();   // one request that has landed
  void deliver();  // more of what the cluster has
  void deliver_all();
  void settle();                       // everything lands, is answered and delivered
  std::deque<InFlight> left_behind();  // what is still on its way when the node has died
  void be_well() { well_ = true; }     // from now on nothing fails
  void append(std::vector<ingest::Append> records,
              std::function<void(ingest::AppendResult)> done) override;
  Result<std::vector<ingest::StoredRecord>> read(LogPartition partition, Offset from,
                                                 std::size_t max_records,
                                                 std::size_t max_bytes) const override;
  Offset start(LogPartition partition) const override { return topics_.start(partition); }
  Offset end(LogPartition partition) const override { return delivered_.at(partition); }
  bool wait_beyond(LogPartition partition, Offset from, int) const override {
    return end(partition) > from;
  }
  void wake_all() override {}
  void on_durable(std::function<void()>) override {}
  Status trim(std::span<const std::pair<LogPartition, Offset>>) override { return {}; }
  Status writable() const override { return {}; }
  std::uint16_t interaction_partitions() const override { return topics_.partitions(); }

 private:
  void land_some(InFlight& request, std::size_t count);

  Topics& topics_;
  Dice& dice_;
  std::function<void()> writing_;
  std::map<LogPartition, Offset> delivered_;
  std::deque<InFlight> on_the_way_;
  std::deque<InFlight> landed_;
  std::deque<InFlight> again_;  // resent by the client's library, or lost sight of by it
  int waiting_ = 0;
  bool well_ = false;
};

// Lands what a dead client has left behind, in its order. True while there is more.
bool land_left_behind(Topics& topics, std::deque<InFlight>& left, std::size_t count);

}  // namespace millrace::simulation
