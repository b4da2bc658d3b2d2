#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "processors/drive.h"
#include "schemas/ids.h"
#include "schemas/position.h"
#include "state/item_index.h"

namespace millrace::processors {

// The last step before readers: when the stores have published their pages and cells, the lists
// follow, then the position moves, then those who wait for it are woken. One thread of its own.
class Publisher {
 public:
  using UpdateLists = std::function<void(const std::vector<state::ItemIndex>& touched)>;

  // `update_lists` runs on the publisher's thread only; `touched` is in order, each item once.
  // `moved` is called after every step of the positions; cheap, must not block.
  Publisher(std::uint16_t partitions, UpdateLists update_lists, Metrics& metrics,
            Drive drive = Drive::kThread, std::function<void()> moved = nullptr);
  ~Publisher();  // stops; whoever still waits hears "not reached"

  // From a writer, after its store's publish(): everything below next_offset shows in pages and
  // cells. `behind`: the writer is far from the log's end, so that lists may lag a little for
  // throughput.
  void offer(LogPartition partition, Offset next_offset, std::vector<state::ItemIndex> touched,
             bool behind);

  // One past the last visible record.
  Offset visible(LogPartition partition) const;
  Position position() const;  // of everything visible
  bool reached(const Position& position) const;

  // Calls `done(true)` once `ready()` holds, checked after every step of the position, or
  // `done(false)` after `timeout_ms`. At once, on the caller's thread, when it holds already; else
  // on the publisher's.
  void when(std::function<bool()> ready, int timeout_ms, std::function<void(bool)> done);
  void when_reached(const Position& position, int timeout_ms, std::function<void(bool)> done);
  bool wait_reached(const Position& position, int timeout_ms);

  // Publishes what was offered so far, and wakes. Belongs to whoever drives.
  void step();

 private:
  struct Waiter {
    std::function<bool()> ready;
    std::int64_t deadline_us = 0;
    std::function<void(bool)> done;
  };
  struct Pending {
    std::map<LogPartition, Offset> positions;
    std::vector<state::ItemIndex> touched;
    bool behind = true;
    bool any = false;
  };

  using Woken = std::vector<std::pair<std::function<void(bool)>, bool>>;

  void run(const std::stop_token& stop);
  void publish(Pending taken, bool stopping);  // without mutex_
  // With mutex_ held.
  std::int64_t publish_due_us() const;
  std::int64_t due_us() const;
  bool shorten_sleep(std::int64_t due_us) const;
  Woken take_ready(bool stopping);

  std::atomic<Offset>& slot(LogPartition partition);
  const std::atomic<Offset>& slot(LogPartition partition) const;

  const std::uint16_t partitions_;
  UpdateLists update_lists_;
  const std::function<void()> moved_;
  Histogram& wait_seconds_;
  Counter& timeouts_;
  std::vector<std::atomic<Offset>> visible_;  // interactions, then the catalog
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Pending pending_;
  std::int64_t last_publish_us_ = 0;
  std::int64_t last_cost_us_ = 0;
  std::int64_t asleep_until_us_ = 0;  // 0: awake
  std::vector<Waiter> waiters_;
  std::jthread thread_;  // last: joins before the rest goes
};

}  // namespace millrace::processors
