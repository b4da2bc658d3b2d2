// The commit thread of the embedded log: queue, swap, write, sync, publish, then the callbacks.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "ingest/embedded_log.h"

namespace millrace::ingest {
namespace {

constexpr std::chrono::milliseconds kGaugeInterval{5000};

}  // namespace

void EmbeddedLog::commit_loop(const std::stop_token& stop) {
  auto gauges_due = std::chrono::steady_clock::now() + kGaugeInterval;
  for (;;) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(queue_mutex_);
      const auto patience = full_ ? std::chrono::milliseconds(options_.probe_ms) : kGaugeInterval;
      queue_cv_.wait_for(lock, stop, patience, [this] { return !queue_.empty(); });
      jobs = take_group();
    }
    if (jobs.empty() && stop.stop_requested()) return;
    if (!jobs.empty()) {
      commit(std::move(jobs));
    } else if (full_) {
      space_is_back(0);
    }
    if (const auto now = std::chrono::steady_clock::now(); now >= gauges_due) {
      refresh_gauges();
      gauges_due = now + kGaugeInterval;
    }
  }
}

// As many waiting appends as one group may hold. The queue's mutex is held.
std::vector<EmbeddedLog::Job> EmbeddedLog::take_group() {
  std::size_t bytes = 0;
  auto end = queue_.begin();
  while (end != queue_.end() && bytes + end->bytes <= options_.max_group_bytes) {
    bytes += end->bytes;
    ++end;
  }
  std::vector<Job> jobs(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return jobs;
}

void EmbeddedLog::commit(std::vector<Job> jobs) {
  std::size_t bytes = 0;
  for (const Job& job : jobs) bytes += job.bytes;
  if (broken_) return fail_jobs(jobs, {WriteFailure::Kind::kBroken, ""});
  if (full_ && !space_is_back(bytes)) {
    return fail_jobs(jobs, {WriteFailure::Kind::kFull, ""});
  }
  const UnixMillis time = std::max(time_, options_.clock->now());
  if (writer_->is_full(bytes)) {
    if (auto rolled = writer_->roll(next_, time); !rolled.has_value()) {
      return fail_jobs(jobs, rolled.error());
    }
    view_.add_segment(writer_->segment(), writer_->bytes());
  }
  Group group = encode_group(jobs, time);
  if (!group.bytes.empty()) {
    if (auto written = writer_->write(group.bytes); !written.has_value()) {
      return fail_jobs(jobs, written.error());
    }
  }
  publish(std::move(jobs), std::move(group), time);
}

bool EmbeddedLog::space_is_back(std::size_t bytes) {
  if (!writer_->has_space(bytes)) return false;
  full_ = false;
  log_info("the log is writable again");
  set_writable({});
  return true;
}

EmbeddedLog::Group EmbeddedLog::encode_group(std::vector<Job>& jobs, UnixMillis time) const {
  Group group;
  std::size_t bytes = 0, count = 0;
  for (const Job& job : jobs) {
    bytes += job.bytes;
    count += job.records.size();
  }
  group.bytes.reserve(bytes);
  group.records.reserve(count);
  std::vector<Offset> next = next_;
  const std::uint64_t start = writer_->bytes();
  for (Job& job : jobs) {
    auto& offsets = group.offsets.emplace_back();
    offsets.reserve(job.records.size());
    for (Append& record : job.records) {
      const std::size_t slot = *slot_of(record.partition, partitions_);
      const Offset offset = next[slot]++;
      const std::uint64_t position = start + group.bytes.size();
      append_record(group.bytes,
                    {.partition = record.partition,
                     .offset = offset,
                     .append_time = time,
                     .group_start = static_cast<std::uint32_t>(start),
                     .ends_append = &record == &job.records.back(),
                     .bytes = record.bytes},
                    writer_->segment()->salt);
      group.records.push_back({slot, position, {offset, time, std::move(record.bytes)}});
      offsets.push_back(offset);
    }
  }
  return group;
}

void EmbeddedLog::publish(std::vector<Job> jobs, Group group, UnixMillis time) {
  time_ = time;
  for (const auto& written : group.records) next_[written.slot] = written.record.offset + 1;
  gauges_.records.inc(static_cast<double>(group.records.size()));
  gauges_.bytes.inc(static_cast<double>(group.bytes.size()));
  view_.publish(writer_->bytes(), std::move(group.records));
  gauges_.size.set(static_cast<double>(view_.total_bytes()));
  {
    const std::lock_guard lock(wait_mutex_);
    wait_cv_.notify_all();
  }
  if (on_durable_) on_durable_();
  release_queue_bytes(jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(std::move(group.offsets[i]));
}

void EmbeddedLog::fail_jobs(const std::vector<Job>& jobs, const WriteFailure& failure) {
  Error error{Code::kUnavailable, "", {}};
  switch (failure.kind) {
    case WriteFailure::Kind::kFull:
      error.detail = "disk full: free space; appends resume by themselves";
      if (!full_) log_error(error.detail + " (" + failure.detail + ")");
      full_ = true;
      set_writable(tl::unexpected(error));
      break;
    case WriteFailure::Kind::kBroken:
    case WriteFailure::Kind::kBrokenOutcomeUnknown:
      error.detail = "the log had a write error: restart the server once the disk is sound";
      if (!broken_) {
        log_error(error.detail + " (" + failure.detail + ")");
        set_writable(tl::unexpected(error));
      }
      broken_ = true;
      break;
  }
  if (failure.kind == WriteFailure::Kind::kBrokenOutcomeUnknown) {
    error.detail += "; outcome unknown: what was being written may be there after the restart";
  }
  release_queue_bytes(jobs);
  for (const Job& job : jobs) job.done(tl::unexpected(error));
}

void EmbeddedLog::release_queue_bytes(const std::vector<Job>& jobs) {
  const std::lock_guard lock(queue_mutex_);
  for (const Job& job : jobs) queued_bytes_ -= job.bytes;
}

}  // namespace millrace::ingest
