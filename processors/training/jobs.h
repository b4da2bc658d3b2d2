#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "schemas/uuid7.h"

namespace millrace::processors {

enum class JobState : std::uint8_t { kWaiting, kRunning, kDone, kFailed, kCancelled };
std::string_view job_state_name(JobState state);

struct Job {
  std::string id;
  std::string kind;
  JobState state = JobState::kWaiting;
  double progress = 0;  // 0 to 1
  std::string result;   // JSON text of an object; empty unless done
  std::string error;    // why it failed
  UnixMillis created = 0;
  UnixMillis started = 0;   // 0: not yet
  UnixMillis finished = 0;  // 0: not yet

  bool over() const { return state > JobState::kRunning; }
};

// How a job's work talks to whoever watches it.
class JobControl {
 public:
  // Work asks often, and ends soon once it hears true, with any error.
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  void progress(double share) { progress_.store(share, std::memory_order_relaxed); }

 private:
  friend class Jobs;
  std::atomic<bool> cancelled_{false};
  std::atomic<double> progress_{0};
};

// Work that takes long, on one thread, one at a time, in the order asked for. What is over is
// remembered for a while, in memory alone. Thread-safe.
class Jobs {
 public:
  using Work = std::function<Result<std::string>(JobControl&)>;  // answers Job::result
  using Done = std::function<void(const Job&)>;  // once the job is over; on the jobs' thread

  static constexpr std::size_t kMaxWaiting = 16;
  static constexpr std::size_t kMaxKept = 100;  // jobs that are over

  Jobs(const Clock& clock, Metrics& metrics);
  ~Jobs();  // cancels what waits and runs

  // The job made of `work`, or the one of this kind that waits or runs already. kExhausted: too
  // many wait.
  Result<Job> submit(const std::string& kind, Work work, Done done = {});
  std::optional<Job> find(std::string_view id) const;
  std::vector<Job> list() const;  // newest first
  // The job, over at once if it waits, else as soon as its work sees to it. kNotFound; kConflict:
  // it is over.
  Result<Job> cancel(std::string_view id);

 private:
  struct Entry {
    Job job;
    Work work;
    std::vector<Done> done;
    JobControl control;
  };
  using Shared = std::shared_ptr<Entry>;

  void run(const std::stop_token& stop);
  void finish(const Shared& entry, JobState state, Result<std::string> result);
  Job copy(const Entry& entry) const;  // with mutex_ held
  Shared entry(std::string_view id) const;

  const Clock& clock_;
  Metrics& metrics_;
  mutable Uuid7Minter ids_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Shared> entries_;  // oldest first
  std::jthread thread_;         // last: joins before the rest goes
};

}  // namespace millrace::processors
