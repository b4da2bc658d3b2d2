#include "processors/commit_queue.h"

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace millrace::processors {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{500};

}  // namespace

CommitQueue::CommitQueue(Metrics& metrics)
    : seconds_(metrics.histogram("commit_seconds", "Time to write one commit to RocksDB.")),
      failures_(
          metrics.counter("commit_failures_total", "Attempts to write a commit that failed.")),
      writable_(metrics.gauge("state_writable", "1 while commits reach RocksDB, else 0.")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  writable_.set(1);
}

CommitQueue::~CommitQueue() {
  drain();
  thread_.request_stop();
  changed_.notify_all();
}

void CommitQueue::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_all();
}

std::string CommitQueue::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool CommitQueue::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (queue_.empty() && !busy_) || !failure_.empty(); });
  return failure_.empty();
}

bool CommitQueue::attempt(Job& job, const std::stop_token& stop) {
  for (bool first = true;; first = false) {
    const auto start = steady_micros();
    auto status = first ? job.write() : job.recover().and_then(job.write);
    if (status) {
      seconds_.observe(static_cast<double>(steady_micros() - start) / 1e6);
      const std::lock_guard lock(mutex_);
      if (!std::exchange(failure_, {}).empty()) log_info("commits reach the disk again");
      writable_.set(1);
      return true;
    }
    failures_.inc();
    writable_.set(0);
    if (first) log_error("a commit failed, it will be tried again: " + status.error().detail);
    std::unique_lock lock(mutex_);
    failure_ = status.error().detail;
    changed_.notify_all();
    changed_.wait_for(lock, stop, kRetryAfter, [] { return false; });
    if (stop.stop_requested()) return false;
  }
}

void CommitQueue::run(const std::stop_token& stop) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      busy_ = true;
    }
    const bool written = attempt(job, stop);
    if (written) job.done();
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    changed_.notify_all();
    if (!written) return;
  }
}

}  // namespace millrace::processors
