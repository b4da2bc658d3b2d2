#include "processors/prequential/test_queue.h"

#include <utility>

#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

constexpr double kHashes = 18446744073709551616.0;  // 2^64

}  // namespace

TestQueue::TestQueue(const Options& options, Metrics& metrics)
    : options_(options),
      dropped_(metrics.counter("prequential_events_dropped_total",
                               "Events that were not compared with what had been predicted, "
                               "because too many waited.")) {}

void TestQueue::close() {
  open_ = false;
  const std::lock_guard lock(mutex_);
  events_.clear();
}

bool TestQueue::sampled(std::string_view user) const {
  return options_.share >= 1 ||
         static_cast<double>(mix(text_hash(user))) < options_.share * kHashes;
}

void TestQueue::push(TestEvent event) {
  {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= options_.most) return dropped_.inc();
    events_.push_back(std::move(event));
  }
  bell_.ring();
}

void TestQueue::forget(std::string_view user) {
  if (!wants(user)) return;
  const std::lock_guard lock(mutex_);
  events_.push_back({{}, 0, std::string(user), state::kNoItem, false, 0});
}

std::vector<TestEvent> TestQueue::take() {
  std::vector<TestEvent> taken;
  const std::lock_guard lock(mutex_);
  taken.swap(events_);
  return taken;
}

}  // namespace millrace::processors
