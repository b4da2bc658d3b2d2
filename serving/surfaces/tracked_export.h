#pragma once
#include <functional>
#include <vector>

#include "base/result.h"
#include "serving/surfaces/exports.h"
#include "serving/surfaces/tracked.h"

namespace millrace::serving {

enum class ExportFormat { kJson, kCsv };

// Rows, some at a time, newest first; none at the end.
using RowSource = std::function<Result<std::vector<Tracked>>()>;

// A file of all rows that `source` gives.
Exports::Piece tracked_file(ExportFormat format, TrackedPrinter printer, RowSource source);

}  // namespace millrace::serving
