#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "serving/http/message.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

// Files that are made piece by piece, on a thread of their own, as clients take them. Must outlive
// its streams. Thread-safe.
class Exports {
 public:
  // The next piece; empty: that was all. Asked for one after the other.
  using Piece = std::function<Result<std::string>()>;

  static constexpr std::size_t kMaxWaiting = 10'000;  // pieces; each takes a millisecond or so

  // Counts in exports_broken_off_total{reason} those that end before their end.
  explicit Exports(Metrics& metrics);

  // A file that breaks off where a piece cannot be made, or finds as many waiting as may.
  std::shared_ptr<BodyStream> stream(Piece piece);

 private:
  class Stream;

  Counter& full_;
  Counter& unreadable_;
  WorkThread thread_;  // last: its jobs count
};

}  // namespace millrace::serving
