#include "processors/commit_queue.h"

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace millrace::processors {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{500};

}  // namespace

CommitQueue::CommitQueue(Metrics& metrics, Drive drive)
    : seconds_(metrics.histogram("commit_seconds", "Time to write one commit to RocksDB.")),
      failures_(
          metrics.counter("commit_failures_total", "Attempts to write a commit that failed.")),
      writable_(metrics.gauge("state_writable", "1 while commits reach RocksDB, else 0.")) {
  writable_.set(1);
  if (drive == Drive::kThread) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
}

CommitQueue::~CommitQueue() {
  if (!thread_.joinable()) return;
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
  changed_.wait(lock, [this] { return queue_.empty() || !failure_.empty(); });
  return failure_.empty();
}

bool CommitQueue::step() {
  Job* job = nullptr;
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return true;
    job = &queue_.front();  // stays where it is while others are pushed behind it
    again = !failure_.empty();
  }
  const auto start = steady_micros();
  const auto status = again ? job->recover().and_then(job->write) : job->write();
  if (!status) {
    failures_.inc();
    writable_.set(0);
    if (!again) log_error("a commit failed, it will be tried again: " + status.error().detail);
    const std::lock_guard lock(mutex_);
    failure_ = status.error().detail;
    changed_.notify_all();
    return false;
  }
  seconds_.observe(static_cast<double>(steady_micros() - start) / 1e6);
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(failure_, {}).empty()) log_info("commits reach the disk again");
  }
  writable_.set(1);
  job->done();
  const std::lock_guard lock(mutex_);
  queue_.pop_front();
  changed_.notify_all();
  return true;
}

void CommitQueue::run(const std::stop_token& stop) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !queue_.empty(); });
      if (queue_.empty()) return;
    }
    if (step()) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kRetryAfter, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

}  // namespace millrace::processors
