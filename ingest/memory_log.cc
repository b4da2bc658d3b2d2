#include "ingest/memory_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace millrace::ingest {

MemoryLog::MemoryLog(const Clock& clock, std::uint16_t interaction_partitions,
                     std::size_t max_record_bytes)
    : clock_(clock), partitions_(interaction_partitions), max_record_bytes_(max_record_bytes) {
  for (std::uint16_t i = 0; i < partitions_; ++i) stored_[{Topic::kInteractions, i}];
  stored_[kCatalogPartition];
  thread_ = std::jthread([this](const std::stop_token& stop) { commit_loop(stop); });
}

MemoryLog::~MemoryLog() {
  wake_all();
  thread_ = {};
}

void MemoryLog::refuse_appends(std::string reason) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(reason);
}

void MemoryLog::accept_appends() {
  const std::lock_guard lock(mutex_);
  refusal_.reset();
}

void MemoryLog::hold_appends() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void MemoryLog::release_appends() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  queue_cv_.notify_all();
}

std::size_t MemoryLog::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + committing_;
}

void MemoryLog::truncate_to(LogPartition partition, Offset offset) {
  const std::lock_guard lock(mutex_);
  Stored& stored = stored_.at(partition);
  if (offset >= stored.end()) return;
  stored.start = std::min(stored.start, offset);
  stored.records.resize(static_cast<std::size_t>(offset - stored.start));
}

void MemoryLog::corrupt_at(LogPartition partition, Offset offset) {
  const std::lock_guard lock(mutex_);
  stored_.at(partition).corrupt_at = offset;
}

void MemoryLog::let_others_write() {
  const std::lock_guard lock(mutex_);
  shared_ = true;
  for (auto& [partition, stored] : stored_) stored.heard = stored.end();
}

void MemoryLog::push_by_another(LogPartition partition, std::string bytes) {
  const std::lock_guard lock(mutex_);
  Stored& stored = stored_.at(partition);
  stored.records.push_back({stored.end(), time_, std::move(bytes)});
}

void MemoryLog::hear() {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [partition, stored] : stored_) stored.heard = stored.end();
    wake = on_durable_;
    durable_cv_.notify_all();
  }
  if (wake) wake();
}

bool MemoryLog::shared() const {
  const std::lock_guard lock(mutex_);
  return shared_;
}

void MemoryLog::fresh_end(std::function<void(std::optional<Position>)> done) const {
  Position position;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, stored] : stored_) {
      if (stored.end() > 0) position.include(partition, stored.end() - 1);
    }
  }
  done(std::move(position));
}

Offset MemoryLog::push(LogPartition partition, std::string bytes) {
  return append_and_wait({{partition, {}, std::move(bytes)}}).value().front();
}

void MemoryLog::append(std::vector<Append> records, std::function<void(AppendResult)> done) {
  const std::lock_guard lock(mutex_);
  queue_.push_back({std::move(records), std::move(done)});
  queue_cv_.notify_all();
}

void MemoryLog::commit_loop(const std::stop_token& stop) {
  for (;;) {
    std::vector<Job> jobs;
    std::vector<AppendResult> results;
    std::function<void()> wake;
    {
      std::unique_lock lock(mutex_);
      queue_cv_.wait(lock, stop, [this] { return !held_ && !queue_.empty(); });
      if (queue_.empty()) return;
      jobs.swap(queue_);
      for (Job& job : jobs) results.push_back(commit(std::move(job.records)));
      committing_ = jobs.size();
      wake = on_durable_;
      durable_cv_.notify_all();
    }
    if (wake) wake();
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(std::move(results[i]));
    const std::lock_guard lock(mutex_);
    committing_ = 0;
  }
}

// The mutex is held.
AppendResult MemoryLog::commit(std::vector<Append> records) {
  for (const Append& record : records) {
    if (!known(record.partition)) return fail(Code::kInvalid, "no such partition", "partition");
    if (record.bytes.size() > max_record_bytes_) return fail(Code::kTooLarge, "record too large");
  }
  if (refusal_) return fail(Code::kUnavailable, *refusal_);
  time_ = std::max(time_, clock_.now());
  std::vector<Offset> offsets;
  for (Append& record : records) {
    Stored& stored = stored_.at(record.partition);
    offsets.push_back(stored.end());
    stored.records.push_back({stored.end(), time_, std::move(record.bytes)});
    stored.heard = stored.end();
  }
  return offsets;
}

Result<std::vector<StoredRecord>> MemoryLog::read(LogPartition partition, Offset from,
                                                  std::size_t max_records,
                                                  std::size_t max_bytes) const {
  const std::lock_guard lock(mutex_);
  if (!known(partition)) return fail(Code::kInvalid, "no such partition", "partition");
  const Stored& stored = stored_.at(partition);
  if (from < stored.start) return fail(Code::kNotFound, "no longer in the log");
  std::vector<StoredRecord> out;
  std::size_t bytes = 0;
  for (Offset at = from; at < end_of(stored) && out.size() < max_records; ++at) {
    if (stored.corrupt_at >= 0 && at >= stored.corrupt_at) {
      if (out.empty()) return fail(Code::kCorrupt, "offset " + std::to_string(at) + " is corrupt");
      break;
    }
    const StoredRecord& record = stored.records[static_cast<std::size_t>(at - stored.start)];
    if (!out.empty() && bytes + record.bytes.size() > max_bytes) break;
    bytes += record.bytes.size();
    out.push_back(record);
  }
  return out;
}

Offset MemoryLog::start(LogPartition partition) const {
  const std::lock_guard lock(mutex_);
  return known(partition) ? stored_.at(partition).start : 0;
}

Offset MemoryLog::end(LogPartition partition) const {
  const std::lock_guard lock(mutex_);
  return known(partition) ? end_of(stored_.at(partition)) : 0;
}

bool MemoryLog::wait_beyond(LogPartition partition, Offset from, int timeout_ms) const {
  std::unique_lock lock(mutex_);
  const auto reached = [&] { return known(partition) && end_of(stored_.at(partition)) > from; };
  const std::uint64_t before = wakes_;
  durable_cv_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                       [&] { return wakes_ != before || reached(); });
  return reached();
}

void MemoryLog::wake_all() {
  const std::lock_guard lock(mutex_);
  ++wakes_;
  durable_cv_.notify_all();
}

void MemoryLog::on_durable(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  on_durable_ = std::move(wake);
}

Status MemoryLog::trim(std::span<const std::pair<LogPartition, Offset>> keep_from) {
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, offset] : keep_from) {
    if (!known(partition)) return fail(Code::kInvalid, "no such partition", "partition");
    Stored& stored = stored_.at(partition);
    const Offset start = std::clamp(offset, stored.start, stored.end());
    stored.records.erase(stored.records.begin(), stored.records.begin() + (start - stored.start));
    stored.start = start;
  }
  return {};
}

Status MemoryLog::writable() const {
  const std::lock_guard lock(mutex_);
  if (refusal_) return fail(Code::kUnavailable, *refusal_);
  return {};
}

}  // namespace millrace::ingest
