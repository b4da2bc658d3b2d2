#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/metrics.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "processors/engine.h"
#include "state/checkpoint.h"

namespace millrace::app {

// Opens a checkpoint as verification would and adds its rows up: kCorrupt when they do not come to
// the manifest's digests.
Status check_checkpoint(const std::string& directory, const state::CheckpointManifest& manifest);

// Checkpoints, and trimming the log behind them: the log is never cut where no fsynced, verified
// checkpoint covers it. Thread-safe.
class Maintenance {
 public:
  struct Options {
    std::string checkpoints;            // folder
    std::uint64_t retention_bytes = 0;  // of the log; 0: no limit
    std::int64_t retention_ms = 0;      // of the log; 0: no limit
    std::uint64_t segment_bytes = 64ULL << 20;
    int every_ms = 10'000;          // how often the limits are looked at
    std::function<Status()> audit;  // on each of these occasions; null: nothing
    std::size_t keep = 2;           // newest checkpoints kept, and those read within reading_ms
    int reading_ms = 60'000;
  };
  Maintenance(Options options, processors::Engine& engine, ingest::EventLog& log,
              const Clock& clock, Metrics& metrics);
  ~Maintenance();

  // Makes a checkpoint, opens it again and compares its digests, seals it; answers its path. Apply
  // pauses while the files are linked. The newest one will do when it is not older than max_age_ms.
  Result<std::string> checkpoint(std::int64_t max_age_ms = 0);
  // Once an hour, and while there is more: has tracked rows beyond retention taken off the disk.
  // One thread.
  Status expire_if_due();
  // Trims what the retention limits allow, behind a new checkpoint. True when there was something.
  // One thread.
  Result<bool> trim_if_due();

 private:
  bool over_limits() const;
  std::string young_enough(std::int64_t max_age_ms) const;  // "" when there is none
  void remove_old() const;
  void run(const std::stop_token& stop);

  const Options options_;
  processors::Engine& engine_;
  ingest::EventLog& log_;
  const Clock& clock_;
  Counter& checkpoints_;
  Gauge& checkpoint_age_;
  Counter& expired_people_;
  UnixMillis expired_at_ = 0;          // expire_if_due()'s alone
  std::uint64_t size_after_trim_ = 0;  // trim_if_due()'s alone, as is the next
  UnixMillis trimmed_at_ = 0;
  std::mutex one_at_a_time_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace millrace::app
