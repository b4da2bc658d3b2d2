#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/event_log.h"
#include "schemas/event.h"

namespace millrace::ingest {

// Puts answers that recommended something into the log, behind the answer and many at once. Events
// come first: what is beyond the rate, or does not fit because the log is slow, is dropped and
// counted. What an experiment shows comes before its answer. Thread-safe; the log outlives it.
class Impressions {
 public:
  struct Options {
    std::uint32_t per_second = 1'000;  // 0: none are kept
    std::size_t queue = 10'000;        // waiting for the log
    int flush_ms = 100;
  };
  Impressions(EventLog& log, const Clock& clock, Metrics& metrics, Options options);
  ~Impressions();  // stop()

  // Whether there is room for one more in this second. Whoever hears true makes it and offers it.
  bool admits();
  void offer(Impression impression);
  // Past the queue and the rate, for an answer that may only be given once this is in the log.
  // `then` hears whether it is, on any thread.
  void keep(Impression impression, std::function<void(bool kept)> then);
  // What waits is in the log before anything that is appended behind this call.
  void flush();
  // Flushes, and waits until the log has answered.
  void stop();

 private:
  void run(const std::stop_token& stop);
  Append append_of(Impression impression) const;
  void append(std::vector<Impression> batch);
  void answered(bool kept, std::size_t count);

  EventLog& log_;
  const Clock& clock_;
  const Options options_;
  Counter& logged_;
  Counter& beyond_rate_;
  Counter& queue_full_;
  Counter& refused_;
  std::atomic<std::uint64_t> second_{0};  // << 32 | admitted in it
  std::mutex mutex_;
  std::mutex order_;  // held from taking a batch to its append
  std::condition_variable_any changed_;
  std::vector<Impression> waiting_;
  std::size_t in_flight_ = 0;  // batches that the log has not answered
  std::size_t keeping_ = 0;    // and single ones
  std::jthread thread_;
};

}  // namespace millrace::ingest
