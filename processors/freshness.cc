#include "processors/freshness.h"

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace millrace::processors {
namespace {

constexpr int kReachMs = 10'000;  // then the end is asked for again

}  // namespace

Freshness::Freshness(Options options, const ingest::EventLog& log, Publisher& publisher)
    : options_(options), log_(log), publisher_(publisher), shared_(log.shared()) {
  known_->fresh_us = steady_micros();
  if (shared_) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Freshness::~Freshness() = default;

void Freshness::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!known_->asking.exchange(true)) ask();
    stopped_.wait_for(lock, stop, std::chrono::milliseconds(options_.ask_every_ms),
                      [] { return false; });
  }
}

void Freshness::ask() {
  const auto asked_us = steady_micros();
  log_.fresh_end(
      [known = known_, publisher = &publisher_, asked_us](const std::optional<Position>& end) {
        if (!end) {
          known->asking = false;
          return;
        }
        publisher->when([publisher, end = *end] { return publisher->reached(end); }, kReachMs,
                        [known, asked_us](bool reached) {
                          if (reached) known->fresh_us = asked_us;
                          known->asking = false;
                        });
      });
}

std::int64_t Freshness::stale_ms() const {
  if (!shared_) return 0;
  const auto ms = (steady_micros() - known_->fresh_us) / 1000;
  return ms >= options_.stale_after_ms ? ms : 0;
}

}  // namespace millrace::processors
