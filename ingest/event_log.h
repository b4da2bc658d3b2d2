#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/ids.h"
#include "schemas/position.h"

namespace millrace::ingest {

inline constexpr std::uint16_t kMaxLogPartitions = 1024;

// Partitions are counted in slots: interactions 0..n-1, then the catalog. Nothing for a partition
// that a log of n interaction partitions does not have.
std::optional<std::size_t> slot_of(LogPartition partition, std::uint16_t interaction_partitions);

enum class LogAccess {
  kWrite,
  kRead,  // changes nothing
};

struct Append {
  LogPartition partition;
  std::string key;  // the user id, empty for the catalog; Kafka stores it, others may drop it
  std::string bytes;
};

struct StoredRecord {
  Offset offset = 0;
  UnixMillis append_time = 0;  // log time: never falls within a partition, unless KafkaLog says so
  std::string bytes;
};

using AppendResult = Result<std::vector<Offset>>;  // offsets in the order of the records appended

// The log: partitions of records, each record durable before anyone hears of it. One contract test
// (tests/contract/event_log_contract_test.cc) runs over every form. Thread-safe.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Appends all records or none, in order within each partition. `done` is called exactly once,
  // from a thread of the log's, when they are durable or have failed: kUnavailable (the log cannot
  // write now; nothing was kept, unless the detail says that the outcome is unknown), kTooLarge. It
  // must not block, nor call append and wait.
  virtual void append(std::vector<Append> records, std::function<void(AppendResult)> done) = 0;

  // The same, waiting.
  AppendResult append_and_wait(std::vector<Append> records);

  // Durable records from `from` on, at most max_records and about max_bytes, maybe fewer than there
  // are: at least one when there is one, unless the log cannot be reached now. Empty at the end.
  // kNotFound when `from` is below start(); kCorrupt when the bytes there are not what was written:
  // nothing behind them is returned by this call or a later one.
  virtual Result<std::vector<StoredRecord>> read(LogPartition partition, Offset from,
                                                 std::size_t max_records,
                                                 std::size_t max_bytes) const = 0;

  virtual Offset start(LogPartition partition) const = 0;  // first offset kept
  virtual Offset end(LogPartition partition) const = 0;    // one past the last durable record

  // True when others write this log too: end() is then what this process has heard of.
  virtual bool shared() const { return false; }
  // Asks where the log ends: `done` is called exactly once, from the caller's thread or one of the
  // log's, with the position of all that was in the log when this was called, or more; with nothing
  // when the log cannot be reached now. It must not block. Those who ask at once share a question.
  virtual void fresh_end(std::function<void(std::optional<Position>)> done) const;

  // Returns true once end(partition) > from, false after `timeout_ms` or wake_all().
  virtual bool wait_beyond(LogPartition partition, Offset from, int timeout_ms) const = 0;
  virtual void wake_all() = 0;

  // Calls `wake` (cheap, must not block) whenever end() of any partition has moved. Set before use.
  virtual void on_durable(std::function<void()> wake) = 0;

  // Everything below these offsets may go. The log keeps what shares storage with records still
  // needed.
  virtual Status trim(std::span<const std::pair<LogPartition, Offset>> keep_from) = 0;

  // False while appends are refused (disk full, write error), with the reason to show.
  virtual Status writable() const = 0;

  virtual std::uint16_t interaction_partitions() const = 0;
  virtual std::uint64_t size_bytes() const { return 0; }  // on this machine's disk
};

}  // namespace millrace::ingest
