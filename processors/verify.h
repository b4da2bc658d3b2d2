#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "state/digest.h"

namespace millrace::processors {

struct VerifyOptions {
  std::string state;  // folder with the databases to check: a stopped server's, or a checkpoint
  std::string
      checkpoint;       // where to start when the log has been trimmed; empty: from the log's start
  std::string scratch;  // an empty folder for the rebuilt databases; removed afterwards
  std::size_t max_differences = 20;  // named per partition
};

// How one partition's stored facts compare with those rebuilt from the log.
struct VerifyReport {
  LogPartition partition;
  Offset offset = 0;       // one past the last record that both stand for
  state::Digest stored;    // recomputed from the stored rows
  state::Digest recorded;  // kept by the store while it ran
  state::Digest rebuilt;
  std::vector<std::string> differences;  // rows that differ, by key, hex
  bool ok() const { return stored == rebuilt && recorded == rebuilt; }
};

// Rebuilds the facts of every partition and of the catalog from the log, and compares them row by
// row. The log may be open for writing elsewhere: only records below the state's position are read.
// `progress(done, total)` counts records.
Result<std::vector<VerifyReport>> verify(
    const VerifyOptions& options, const ingest::EventLog& log, Metrics& metrics,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace millrace::processors
