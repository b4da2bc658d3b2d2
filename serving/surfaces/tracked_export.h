#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serving/http/message.h"
#include "serving/surfaces/tracked.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

enum class ExportFormat { kJson, kCsv };

// Rows, some at a time, newest first; none at the end.
using RowSource = std::function<Result<std::vector<Tracked>>()>;

// A file of all rows that `source` gives, read on `thread` as the client takes them.
std::shared_ptr<BodyStream> export_stream(WorkThread& thread, ExportFormat format,
                                          TrackedPrinter printer, RowSource source);

}  // namespace millrace::serving
