#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace millrace::processors {

// Calls one thread to work. Rung while that thread is working, it does not let it wait next time.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(rung_, true)) return;
    }
    changed_.notify_one();
  }

  // Until the bell is rung, or was since the last wait.
  void wait(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

}  // namespace millrace::processors
