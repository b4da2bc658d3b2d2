#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "processors/bell.h"
#include "schemas/ids.h"
#include "schemas/position.h"
#include "state/item_index.h"

namespace millrace::processors {

// An event that counted, of a person whose next one is predicted; or, without events, that the
// person is gone.
struct TestEvent {
  LogPartition partition;
  Offset offset = 0;
  std::string user;
  state::ItemIndex item = state::kNoItem;
  bool took_to = false;      // and had not dealt with it before
  std::uint64_t events = 0;  // of the person, with this one
};

// Hands sampled people's events from the threads that apply them to Prequential. Nobody waits for
// it: beyond a bound events are dropped, and counted. Closed, it costs one relaxed load an event.
// Thread-safe.
class TestQueue {
 public:
  struct Options {
    double share = 1;          // of people, by the hash of their name
    std::size_t most = 4'096;  // events that wait
  };
  TestQueue(const Options& options, Metrics& metrics);

  void open() { open_ = true; }
  void close();  // and forgets what waits

  // ---- from a writer ----
  bool wants(std::string_view user) const {
    return open_.load(std::memory_order_relaxed) && sampled(user);
  }
  void push(TestEvent event);          // of somebody wanted
  void forget(std::string_view user);  // never dropped

  // ---- the reader's ----
  std::vector<TestEvent> take();
  void wait(std::chrono::milliseconds at_most) { bell_.wait(at_most); }
  void ring() { bell_.ring(); }

 private:
  bool sampled(std::string_view user) const;

  const Options options_;
  Counter& dropped_;
  std::atomic<bool> open_{false};
  Bell bell_;
  std::mutex mutex_;
  std::vector<TestEvent> events_;
};

}  // namespace millrace::processors
