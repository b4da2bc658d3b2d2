#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "serving/http/message.h"
#include "serving/surfaces/tracked.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

enum class ExportFormat { kJson, kCsv };

// Rows, some at a time, newest first; none at the end.
using RowSource = std::function<Result<std::vector<Tracked>>()>;

// Files of rows, read on a thread of their own as clients take them. Must outlive its streams.
// Thread-safe.
class Exports {
 public:
  static constexpr std::size_t kMaxWaiting = 10'000;  // pieces; each takes a millisecond or so

  // Counts in exports_broken_off_total{reason} those that end before their end.
  explicit Exports(Metrics& metrics);

  // A file of all rows that `source` gives. One whose piece finds as many waiting as may breaks
  // off.
  std::shared_ptr<BodyStream> stream(ExportFormat format, TrackedPrinter printer, RowSource source);

 private:
  class Stream;

  Counter& full_;
  Counter& unreadable_;
  WorkThread thread_;  // last: its jobs count
};

}  // namespace millrace::serving
