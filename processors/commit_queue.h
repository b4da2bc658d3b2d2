#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/metrics.h"
#include "base/result.h"
#include "processors/drive.h"

namespace millrace::processors {

// Writes commits beside apply, in order. A job that fails (disk full, I/O error) is tried again,
// after `recover`, until it succeeds: nothing is dropped, and meanwhile failure() says why, so that
// ingest can refuse.
class CommitQueue {
 public:
  struct Job {
    std::function<Status()> write;    // may be called again after a failure
    std::function<Status()> recover;  // reopens the database
    std::function<void()> done;
  };

  explicit CommitQueue(Metrics& metrics, Drive drive = Drive::kThread);
  ~CommitQueue();  // a thread finishes what is queued unless it fails

  void submit(Job job);
  // The reason while the last attempt failed; empty when all is well.
  std::string failure() const;
  // Waits until everything submitted so far is written. False when it is failing.
  bool drain();
  // One attempt at the oldest job. False: it failed. Belongs to whoever drives.
  bool step();

 private:
  void run(const std::stop_token& stop);

  Histogram& seconds_;
  Counter& failures_;
  Gauge& writable_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> queue_;  // the front is being written
  std::string failure_;
  std::jthread thread_;
};

}  // namespace millrace::processors
