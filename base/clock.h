#pragma once
#include <atomic>
#include <cstdint>

namespace millrace {

// Milliseconds since 1970-01-01T00:00:00Z.
using UnixMillis = std::int64_t;

// Where "now" comes from. Thread-safe. Only edges (ingest, serving, app) hold one: apply never
// does.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis now() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixMillis now() const override;
};

// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis start) : now_(start) {}
  UnixMillis now() const override { return now_.load(); }
  void advance(UnixMillis by) { now_ += by; }
  void set(UnixMillis to) { now_ = to; }

 private:
  std::atomic<UnixMillis> now_;
};

// Microseconds of a clock that only goes forward, for durations.
std::int64_t steady_micros();

}  // namespace millrace
