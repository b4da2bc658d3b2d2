#include "ingest/embedded_log.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::uint64_t kMaxSegmentBytes = 1u << 30;

Status check(const EmbeddedLogOptions& options) {
  if (options.interaction_partitions == 0 || options.interaction_partitions > kMaxLogPartitions) {
    return fail(Code::kInvalid, "between 1 and " + std::to_string(kMaxLogPartitions),
                "interaction_partitions");
  }
  if (options.segment_bytes > kMaxSegmentBytes) {
    return fail(Code::kInvalid, "at most 1 GiB", "segment_bytes");
  }
  if (options.max_group_bytes > kMaxSegmentBytes) {
    return fail(Code::kInvalid, "at most 1 GiB", "max_group_bytes");
  }
  if (options.max_record_bytes > kMaxRecordBytes ||
      options.max_record_bytes + kRecordHeaderBytes > options.max_group_bytes) {
    return fail(Code::kInvalid, "at most 64 MiB, and within max_group_bytes", "max_record_bytes");
  }
  return {};
}

std::uint64_t random_identity() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

Result<std::unique_ptr<FileLock>> lock_directory(FileSystem& files,
                                                 const EmbeddedLogOptions& options) {
  const std::string path = options.directory + "/lock";
  const bool write = options.access == LogAccess::kWrite;
  auto lock = files.lock(path, write ? LockMode::kExclusive : LockMode::kShared);
  if (lock.has_value()) return lock;
  if (lock.error().code == Code::kNotFound && !write) return nullptr;  // nobody ever wrote here
  if (lock.error().code == Code::kConflict) {
    return fail(Code::kConflict,
                options.directory + " is in use by another process: stop it first");
  }
  return lock;
}

Result<RecoveredLog> create_log(FileSystem& files, const EmbeddedLogOptions& options) {
  const std::size_t slots = std::size_t{options.interaction_partitions} + 1;
  SegmentHeader header{.identity = random_identity(),
                       .sequence = 1,
                       .time_floor = 0,
                       .interaction_partitions = options.interaction_partitions,
                       .next = std::vector<Offset>(slots, 0)};
  MILLRACE_TRY(const auto made, LogWriter::create_segment(files, options.directory, header));
  RecoveredLog log{.segments = {}, .next = std::move(header.next), .time = 0};
  log.segments.push_back({made.first, segment_header_bytes(options.interaction_partitions),
                          std::make_shared<SegmentIndex>(slots)});
  return log;
}

}  // namespace

EmbeddedLog::Gauges::Gauges(Metrics& metrics)
    : records(metrics.counter("log_appended_records_total", "Records made durable in the log.")),
      bytes(metrics.counter("log_appended_bytes_total", "Bytes made durable in the log.")),
      size(metrics.gauge("log_size_bytes", "Bytes that the log takes on disk.")),
      writable(metrics.gauge("log_writable", "1 while the log accepts appends.")),
      disk_free(metrics.gauge("disk_free_bytes", "Free bytes where the log lives.")) {}

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(EmbeddedLogOptions options) {
  MILLRACE_CHECK(check(options));
  auto own_files = options.files == nullptr ? posix_file_system() : nullptr;
  FileSystem& files = own_files ? *own_files : *options.files;
  const bool write = options.access == LogAccess::kWrite;
  if (write) MILLRACE_CHECK(files.create_directories(options.directory));
  MILLRACE_TRY(auto lock, lock_directory(files, options));
  MILLRACE_TRY(RecoveredLog log, recover_log(files, options.directory, options.access));
  if (log.segments.empty()) {
    if (!write) return fail(Code::kNotFound, "no log in " + options.directory);
    MILLRACE_TRY(log, create_log(files, options));
  }
  const auto& newest = log.segments.back();
  const std::uint16_t partitions = newest.segment->header.interaction_partitions;
  if (write && partitions != options.interaction_partitions) {
    return fail(Code::kInvalid,
                options.directory + " was created with " + std::to_string(partitions) +
                    " interaction partitions, which cannot change: configure that number, not " +
                    std::to_string(options.interaction_partitions),
                "interaction_partitions");
  }
  std::unique_ptr<LogWriter> writer;
  if (write) {
    MILLRACE_TRY(auto file, files.open(newest.segment->path, FileMode::kReadWrite));
    auto& fsync_seconds = options.metrics->histogram("log_fsync_seconds", "Time of one fdatasync.");
    writer = std::make_unique<LogWriter>(
        files, LogWriter::Options{options.directory, options.segment_bytes, options.durability},
        fsync_seconds, newest.segment, std::move(file), newest.bytes);
  }
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(options), std::move(own_files),
                                                      std::move(lock), std::move(log),
                                                      std::move(writer)));
}

EmbeddedLog::EmbeddedLog(EmbeddedLogOptions options, std::unique_ptr<FileSystem> own_files,
                         std::unique_ptr<FileLock> lock, RecoveredLog recovered,
                         std::unique_ptr<LogWriter> writer)
    : options_(std::move(options)),
      own_files_(std::move(own_files)),
      files_(own_files_ ? *own_files_ : *options_.files),
      lock_(std::move(lock)),
      partitions_(recovered.segments.back().segment->header.interaction_partitions),
      identity_(recovered.segments.back().segment->header.identity),
      gauges_(*options_.metrics),
      view_(std::move(recovered.segments), recovered.next, options_.tail_bytes),
      reader_(files_, view_, recovered.next.size()),
      writer_(std::move(writer)),
      next_(std::move(recovered.next)),
      time_(recovered.time) {
  set_writable(writer_ ? Status{} : fail(Code::kUnavailable, "the log is open for reading only"));
  refresh_gauges();
  answer_thread_ = std::jthread([this](const std::stop_token& stop) { answer_loop(stop); });
  if (!writer_) return;
  commit_thread_ = std::jthread([this](const std::stop_token& stop) { commit_loop(stop); });
}

EmbeddedLog::~EmbeddedLog() {
  wake_all();
  // The commit thread writes what is queued first; both must be gone before anything they touch.
  commit_thread_ = {};
  answer_thread_ = {};
}

std::optional<Error> EmbeddedLog::refusal_of(const std::vector<Append>& records,
                                             std::size_t bytes) const {
  for (const Append& record : records) {
    if (!slot_of(record.partition, partitions_)) {
      return Error{Code::kInvalid, "no such partition", "partition"};
    }
    if (record.bytes.size() > options_.max_record_bytes) {
      return Error{Code::kTooLarge,
                   "a record of " + std::to_string(record.bytes.size()) + " bytes; the limit is " +
                       std::to_string(options_.max_record_bytes),
                   {}};
    }
  }
  if (bytes > options_.max_group_bytes) {
    return Error{Code::kTooLarge,
                 "an append of " + std::to_string(bytes) + " bytes; the limit is " +
                     std::to_string(options_.max_group_bytes) + ": send fewer records at once",
                 {}};
  }
  if (!writer_) return Error{Code::kUnavailable, "the log is open for reading only", {}};
  return std::nullopt;
}

void EmbeddedLog::append(std::vector<Append> records, std::function<void(AppendResult)> done) {
  std::size_t bytes = 0;
  for (const Append& record : records) bytes += kRecordHeaderBytes + record.bytes.size();
  Job job{std::move(records), std::move(done), bytes, {}};
  job.refusal = refusal_of(job.records, bytes);
  if (!job.refusal) {
    const std::lock_guard lock(queue_mutex_);
    if (queued_bytes_ == 0 || queued_bytes_ + bytes <= options_.max_queued_bytes) {
      queued_bytes_ += bytes;
      queue_.push_back(std::move(job));
      queue_cv_.notify_one();
      return;
    }
    job.refusal = Error{Code::kExhausted, "too many appends are waiting for the disk", {}};
  }
  job.records.clear();
  const std::lock_guard lock(refused_mutex_);
  refused_.push_back(std::move(job));
  refused_cv_.notify_one();
}

void EmbeddedLog::answer_loop(const std::stop_token& stop) {
  for (;;) {
    std::vector<Job> refused;
    {
      std::unique_lock lock(refused_mutex_);
      refused_cv_.wait(lock, stop, [this] { return !refused_.empty(); });
      refused.swap(refused_);
    }
    if (refused.empty()) return;
    for (Job& job : refused) job.done(tl::unexpected(std::move(*job.refusal)));
  }
}

Result<std::vector<StoredRecord>> EmbeddedLog::read(LogPartition partition, Offset from,
                                                    std::size_t max_records,
                                                    std::size_t max_bytes) const {
  const auto slot = slot_of(partition, partitions_);
  if (!slot) return fail(Code::kInvalid, "no such partition", "partition");
  const Offset start = view_.start(*slot);
  if (from < start) {
    return fail(Code::kNotFound, "offset " + std::to_string(from) +
                                     " is no longer in the log, which starts at " +
                                     std::to_string(start));
  }
  if (max_records == 0) return std::vector<StoredRecord>{};
  if (auto newest = view_.read_tail(*slot, from, max_records, max_bytes)) return std::move(*newest);
  return reader_.read(*slot, from, view_.end(*slot), max_records, max_bytes);
}

Offset EmbeddedLog::start(LogPartition partition) const {
  const auto slot = slot_of(partition, partitions_);
  return slot ? view_.start(*slot) : 0;
}

Offset EmbeddedLog::end(LogPartition partition) const {
  const auto slot = slot_of(partition, partitions_);
  return slot ? view_.end(*slot) : 0;
}

bool EmbeddedLog::wait_beyond(LogPartition partition, Offset from, int timeout_ms) const {
  std::unique_lock lock(wait_mutex_);
  const std::uint64_t before = wakes_;
  wait_cv_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                    [&] { return wakes_ != before || end(partition) > from; });
  return end(partition) > from;
}

void EmbeddedLog::wake_all() {
  const std::lock_guard lock(wait_mutex_);
  ++wakes_;
  wait_cv_.notify_all();
}

void EmbeddedLog::on_durable(std::function<void()> wake) { on_durable_ = std::move(wake); }

Status EmbeddedLog::writable() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

Status EmbeddedLog::trim(std::span<const std::pair<LogPartition, Offset>> keep_from) {
  if (!writer_) return fail(Code::kUnavailable, "the log is open for reading only");
  const std::lock_guard lock(trim_mutex_);
  std::vector<Offset> keep(std::size_t{partitions_} + 1);
  for (std::size_t slot = 0; slot < keep.size(); ++slot) keep[slot] = view_.start(slot);
  for (const auto& [partition, offset] : keep_from) {
    const auto slot = slot_of(partition, partitions_);
    if (!slot) return fail(Code::kInvalid, "no such partition", "partition");
    keep[*slot] = offset;
  }
  for (auto& segment : view_.trim(keep)) trimmed_.push_back(std::move(segment));
  reader_.close_idle();
  // One by one and oldest first, and what fails is tried again next time: there must never be a
  // gap.
  for (; !trimmed_.empty(); trimmed_.pop_front()) {
    auto removed = files_.remove(trimmed_.front()->path);
    if (!removed.has_value() && removed.error().code != Code::kNotFound) return removed;
    MILLRACE_CHECK(files_.sync_directory(options_.directory));
  }
  gauges_.size.set(static_cast<double>(view_.total_bytes()));
  return {};
}

void EmbeddedLog::set_writable(Status status) {
  gauges_.writable.set(status.has_value() ? 1 : 0);
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(status);
}

void EmbeddedLog::refresh_gauges() {
  gauges_.size.set(static_cast<double>(view_.total_bytes()));
  if (const auto free = files_.free_bytes(options_.directory); free.has_value()) {
    gauges_.disk_free.set(static_cast<double>(*free));
  }
}

}  // namespace millrace::ingest
