#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "ingest/event_log.h"
#include "processors/publisher.h"

namespace millrace::processors {

// How old what readers see may be. A log that others write too is asked for its end a few times a
// second; once that is visible, readers see all there was when it was asked. Of a log that nobody
// else writes everything is known. Thread-safe.
class Freshness {
 public:
  struct Options {
    int ask_every_ms = 250;
    int stale_after_ms = 1'000;
  };
  // Both outlive it; the publisher's waiters may hear of it afterwards.
  Freshness(Options options, const ingest::EventLog& log, Publisher& publisher);
  ~Freshness();
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;

  // How long ago it was last known that readers see everything; 0: less than stale_after_ms ago.
  std::int64_t stale_ms() const;

 private:
  // Shared with questions that are under way.
  struct Known {
    std::atomic<std::int64_t> fresh_us = 0;  // readers see all that there was then
    std::atomic<bool> asking = false;
  };
  void run(const std::stop_token& stop);
  void ask();

  const Options options_;
  const ingest::EventLog& log_;
  Publisher& publisher_;
  const bool shared_;
  const std::shared_ptr<Known> known_ = std::make_shared<Known>();
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace millrace::processors
