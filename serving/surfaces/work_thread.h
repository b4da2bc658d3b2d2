#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace millrace::serving {

// One thread for what takes long, so that the server's never do. Jobs run in order; those not begun
// when it is destroyed are called with `stopping`, to say so and no more. Thread-safe.
class WorkThread {
 public:
  using Job = std::function<void(bool stopping)>;

  WorkThread();
  ~WorkThread();

  // False when `max_waiting` jobs wait or run already.
  bool submit(Job job, std::size_t max_waiting);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  std::jthread thread_;  // last: joins before the rest goes
};

}  // namespace millrace::serving
