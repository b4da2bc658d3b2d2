#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/event_log.h"
#include "ingest/log_file.h"
#include "ingest/log_reader.h"
#include "ingest/log_recovery.h"
#include "ingest/log_view.h"
#include "ingest/log_writer.h"

namespace millrace::ingest {

struct EmbeddedLogOptions {
  std::string directory;  // made when missing; holds nothing but the log
  // Fixed when the log is created. Opening for reading takes the number the log has.
  std::uint16_t interaction_partitions = 4;
  std::uint64_t segment_bytes = 64u << 20;  // at most 1 GiB; a group is never split over two
  std::size_t max_record_bytes = 1u << 20;
  std::size_t max_group_bytes = 16u << 20;   // written and synced together; bounds one append
  std::size_t max_queued_bytes = 64u << 20;  // waiting appends beyond it fail with kExhausted
  std::size_t tail_bytes = 8u << 20;         // newest records kept in memory for readers
  Durability durability = Durability::kFsync;
  LogAccess access = LogAccess::kWrite;
  int probe_ms = 500;           // how often a full disk is tried again
  FileSystem* files = nullptr;  // null: the machine's
  Metrics* metrics = nullptr;   // required, as is the clock; both outlive the log
  const Clock* clock = nullptr;
};

// The log without Kafka: one physical stream of segment files (ingest/FORMAT.md) shared by all
// partitions. One thread writes: everything that waits goes out as one write and one fdatasync.
//
// - kFsync: what was acknowledged is there after a power cut. kOs: after kill -9.
// - Full disk: appends fail with kUnavailable and nothing of them is kept; writable() says so; the
//   log tries again by itself. Reads go on.
// - A failing fsync or any other write error: unwritable until the process is restarted, since
// nobody
//   can tell what the device has. Appends in flight fail with kUnavailable, "outcome unknown".
// - append() adds kExhausted (queue full), and kInvalid (no such partition, read-only) to
// EventLog's
//   codes. Appends still queued at destruction are written first.
class EmbeddedLog final : public EventLog {
 public:
  // kConflict: another process has the directory. kInvalid: options do not fit each other or the
  // log. kNotFound: nothing there to read. kCorrupt as recover_log().
  static Result<std::unique_ptr<EmbeddedLog>> open(EmbeddedLogOptions options);
  ~EmbeddedLog() override;
  EmbeddedLog(const EmbeddedLog&) = delete;
  EmbeddedLog& operator=(const EmbeddedLog&) = delete;

  // Drawn at random when the log was created: a state made from another log can tell.
  std::uint64_t identity() const { return identity_; }

  void append(std::vector<Append> records, std::function<void(AppendResult)> done) override;
  Result<std::vector<StoredRecord>> read(LogPartition partition, Offset from,
                                         std::size_t max_records,
                                         std::size_t max_bytes) const override;
  Offset start(LogPartition partition) const override;
  Offset end(LogPartition partition) const override;
  bool wait_beyond(LogPartition partition, Offset from, int timeout_ms) const override;
  void wake_all() override;
  void on_durable(std::function<void()> wake) override;
  Status trim(std::span<const std::pair<LogPartition, Offset>> keep_from) override;
  Status writable() const override;
  std::uint16_t interaction_partitions() const override { return partitions_; }
  std::uint64_t size_bytes() const override { return view_.total_bytes(); }

 private:
  struct Job {
    std::vector<Append> records;
    std::function<void(AppendResult)> done;
    std::size_t bytes = 0;         // as stored
    std::optional<Error> refusal;  // set: only to be told
  };
  struct Group {
    std::string bytes;
    std::vector<WrittenRecord> records;
    std::vector<std::vector<Offset>> offsets;  // by job
  };
  struct Gauges {
    explicit Gauges(Metrics& metrics);
    Counter& records;
    Counter& bytes;
    Gauge& size;
    Gauge& writable;
    Gauge& disk_free;
  };

  EmbeddedLog(EmbeddedLogOptions options, std::unique_ptr<FileSystem> own_files,
              std::unique_ptr<FileLock> lock, RecoveredLog recovered,
              std::unique_ptr<LogWriter> writer);

  std::optional<Error> refusal_of(const std::vector<Append>& records, std::size_t bytes) const;
  void commit_loop(const std::stop_token& stop);
  void answer_loop(const std::stop_token& stop);
  std::vector<Job> take_group();
  void commit(std::vector<Job> jobs);
  bool space_is_back(std::size_t bytes);
  Group encode_group(std::vector<Job>& jobs, UnixMillis time) const;
  void publish(std::vector<Job> jobs, Group group, UnixMillis time);
  void fail_jobs(const std::vector<Job>& jobs, const WriteFailure& failure);
  void release_queue_bytes(const std::vector<Job>& jobs);
  void set_writable(Status status);
  void refresh_gauges();

  EmbeddedLogOptions options_;
  std::unique_ptr<FileSystem> own_files_;
  FileSystem& files_;
  std::unique_ptr<FileLock> lock_;
  std::uint16_t partitions_;
  std::uint64_t identity_;
  Gauges gauges_;
  mutable LogView view_;
  mutable LogReader reader_;
  std::mutex trim_mutex_;
  std::deque<std::shared_ptr<const Segment>> trimmed_;  // still to be removed, oldest first

  // The commit thread's own.
  std::unique_ptr<LogWriter> writer_;  // null when read-only
  std::vector<Offset> next_;
  UnixMillis time_;
  bool full_ = false;
  bool broken_ = false;

  mutable std::mutex status_mutex_;
  Status status_;

  mutable std::mutex wait_mutex_;
  mutable std::condition_variable wait_cv_;
  std::uint64_t wakes_ = 0;
  std::function<void()> on_durable_;

  std::mutex queue_mutex_;
  std::condition_variable_any queue_cv_;
  std::vector<Job> queue_;
  std::size_t queued_bytes_ = 0;  // waiting or being written
  std::mutex refused_mutex_;
  std::condition_variable_any refused_cv_;
  std::vector<Job> refused_;

  std::jthread answer_thread_;  // tells refusals at once, even while the disk is slow
  std::jthread commit_thread_;
};

}  // namespace millrace::ingest
