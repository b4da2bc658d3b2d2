#include "serving/surfaces/work_thread.h"

#include <utility>

namespace millrace::serving {

WorkThread::WorkThread() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

WorkThread::~WorkThread() {
  thread_.request_stop();
  thread_.join();
  while (!jobs_.empty()) {  // one may leave another behind
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job(true);
  }
}

bool WorkThread::submit(Job job, std::size_t max_waiting) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() + (busy_ ? 1 : 0) >= max_waiting) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WorkThread::run(const std::stop_token& stop) {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      busy_ = false;
      if (!changed_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
      if (stop.stop_requested()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
    }
    job(false);
  }
}

}  // namespace millrace::serving
