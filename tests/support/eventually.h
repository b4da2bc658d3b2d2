#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace millrace {

// True as soon as `condition` holds, which is asked every few milliseconds; false when it does not
// within `deadline`.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds deadline = std::chrono::seconds(10)) {
  std::mutex mutex;
  std::condition_variable pause;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    pause.wait_for(lock, std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace millrace
