#pragma once
#include <signal.h>

#include <atomic>
#include <thread>

namespace millrace::app {

// While it lives, the first SIGINT or SIGTERM of the process only sets requested(); the second ends
// the process as usual. Make it before other threads, which inherit that they see neither.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  void watch(int signals, int end);

  std::atomic<bool> requested_{false};
  sigset_t before_{};
  int signals_ = -1;  // signalfd
  int end_ = -1;      // eventfd: ends the watcher
  std::jthread watcher_;
};

}  // namespace millrace::app
