#include "ingest/impressions.h"

#include <chrono>
#include <utility>

#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::ingest {
namespace {

Counter& dropped(Metrics& metrics, const char* reason) {
  return metrics.counter("impressions_dropped_total", "Answers that were not put into the log.",
                         {{"reason", reason}});
}

}  // namespace

Impressions::Impressions(EventLog& log, const Clock& clock, Metrics& metrics, Options options)
    : log_(log),
      clock_(clock),
      options_(options),
      logged_(metrics.counter("impressions_logged_total", "Answers that were put into the log.")),
      beyond_rate_(dropped(metrics, "rate")),
      queue_full_(dropped(metrics, "queue")),
      refused_(dropped(metrics, "log")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Impressions::~Impressions() { stop(); }

bool Impressions::admits() {
  if (options_.per_second == 0) return false;
  const auto now = static_cast<std::uint64_t>(clock_.now() / 1000);
  auto seen = second_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    if (seen >> 32 == now && static_cast<std::uint32_t>(seen) >= options_.per_second) {
      beyond_rate_.inc();
      return false;
    }
    next = seen >> 32 == now ? seen + 1 : now << 32 | 1;
  } while (!second_.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  return true;
}

void Impressions::offer(Impression impression) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= options_.queue) return queue_full_.inc();
  waiting_.push_back(std::move(impression));
  if (waiting_.size() == 1) changed_.notify_all();
}

void Impressions::keep(Impression impression, std::function<void(bool)> then) {
  {
    const std::lock_guard lock(mutex_);
    ++keeping_;
  }
  std::vector<Append> one;
  one.push_back(append_of(std::move(impression)));
  log_.append(std::move(one), [this, then = std::move(then)](const AppendResult& result) {
    (result ? logged_ : refused_).inc();
    then(result.has_value());
    const std::lock_guard lock(mutex_);
    --keeping_;
    changed_.notify_all();
  });
}

void Impressions::flush() {
  const std::lock_guard turn(order_);
  std::vector<Impression> batch;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    batch.swap(waiting_);
    ++in_flight_;
  }
  append(std::move(batch));
}

void Impressions::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  flush();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return in_flight_ == 0 && keeping_ == 0; });
}

// A batch at a time: while the log is slow the queue fills, and no more is asked of it.
void Impressions::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, stop, [this] { return !waiting_.empty() && in_flight_ == 0; });
    if (stop.stop_requested()) return;
    changed_.wait_for(lock, stop, std::chrono::milliseconds(options_.flush_ms),
                      [] { return false; });
    if (stop.stop_requested()) return;
    lock.unlock();
    flush();
    lock.lock();
  }
}

Append Impressions::append_of(Impression impression) const {
  const auto partition = partition_of(impression.user.value, log_.interaction_partitions());
  auto key = impression.user.value;
  return {
      {Topic::kInteractions, partition}, std::move(key), encode(LogRecord{std::move(impression)})};
}

void Impressions::append(std::vector<Impression> batch) {
  std::vector<Append> appends;
  appends.reserve(batch.size());
  for (auto& impression : batch) appends.push_back(append_of(std::move(impression)));
  const auto count = appends.size();
  log_.append(std::move(appends),
              [this, count](const AppendResult& result) { answered(result.has_value(), count); });
}

void Impressions::answered(bool kept, std::size_t count) {
  (kept ? logged_ : refused_).inc(static_cast<double>(count));
  const std::lock_guard lock(mutex_);
  --in_flight_;
  changed_.notify_all();
}

}  // namespace millrace::ingest
