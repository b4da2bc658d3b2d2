#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "ingest/event_log.h"

namespace millrace::ingest {

// A log in memory, for tests: the contract of EventLog, and verbs to make it misbehave.
// Thread-safe.
class MemoryLog final : public EventLog {
 public:
  // The clock must outlive it.
  explicit MemoryLog(const Clock& clock, std::uint16_t interaction_partitions = 4,
                     std::size_t max_record_bytes = 1u << 20);
  ~MemoryLog() override;  // what is held or queued is made durable first

  // Every append fails with kUnavailable and `reason`, until accept_appends().
  void refuse_appends(std::string reason);
  void accept_appends();
  // Appends wait, not durable and not answered, until release_appends().
  void hold_appends();
  void release_appends();
  // Appends that wait, held or about to be made durable.
  std::size_t waiting() const;
  // Forgets records from `offset` on, as a log that was replaced or lost its end.
  void truncate_to(LogPartition partition, Offset offset);
  // The record at `offset` and all behind it cannot be read any more.
  void corrupt_at(LogPartition partition, Offset offset);
  // From now on others write this log too: what they append is in it, and fresh_end() says so, but
  // this process hears of it only by hear() or an append of its own.
  void let_others_write();
  void push_by_another(LogPartition partition, std::string bytes);
  void hear();
  // Appends one record and waits for its offset; the append must succeed.
  Offset push(LogPartition partition, std::string bytes);

  void append(std::vector<Append> records, std::function<void(AppendResult)> done) override;
  Result<std::vector<StoredRecord>> read(LogPartition partition, Offset from,
                                         std::size_t max_records,
                                         std::size_t max_bytes) const override;
  Offset start(LogPartition partition) const override;
  Offset end(LogPartition partition) const override;
  bool shared() const override;
  void fresh_end(std::function<void(std::optional<Position>)> done) const override;
  bool wait_beyond(LogPartition partition, Offset from, int timeout_ms) const override;
  void wake_all() override;
  void on_durable(std::function<void()> wake) override;
  Status trim(std::span<const std::pair<LogPartition, Offset>> keep_from) override;
  Status writable() const override;
  std::uint16_t interaction_partitions() const override { return partitions_; }

 private:
  struct Stored {
    Offset start = 0;
    std::vector<StoredRecord> records;
    Offset corrupt_at = -1;
    Offset heard = 0;  // when others write
    Offset end() const { return start + static_cast<Offset>(records.size()); }
  };
  struct Job {
    std::vector<Append> records;
    std::function<void(AppendResult)> done;
  };

  void commit_loop(const std::stop_token& stop);
  AppendResult commit(std::vector<Append> records);
  bool known(LogPartition partition) const { return stored_.contains(partition); }
  Offset end_of(const Stored& stored) const { return shared_ ? stored.heard : stored.end(); }

  const Clock& clock_;
  std::uint16_t partitions_;
  std::size_t max_record_bytes_;

  mutable std::mutex mutex_;
  mutable std::condition_variable durable_cv_;
  std::condition_variable_any queue_cv_;
  std::map<LogPartition, Stored> stored_;
  std::vector<Job> queue_;
  std::size_t committing_ = 0;
  std::optional<std::string> refusal_;
  bool held_ = false;
  bool shared_ = false;
  std::uint64_t wakes_ = 0;
  UnixMillis time_ = 0;
  std::function<void()> on_durable_;
  std::jthread thread_;
};

}  // namespace millrace::ingest
