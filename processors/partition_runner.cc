#include "processors/partition_runner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/crash_point.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kBatchBytes = 1u << 20;
constexpr std::uint64_t kBehindRecords = 10'000;  // farther from the end than this is catching up
// A commit of few events costs almost as much as one of many: both touch most items.
constexpr std::int64_t kCommitShare = 40;
constexpr std::int64_t kLongestIntervalMs = 1'000;
constexpr std::size_t kBehindBatches =
    16;  // then batches are larger: a page is cloned once a batch

tl::unexpected<Error> passed_error() {
  return fail(
      Code::kNotFound,
      "digests are kept at multiples of 65,536; any other offset must be asked for before it "
      "is passed");
}

Labels of(const LogPartition& partition) {
  return {{"partition", std::to_string(partition.index)}};
}

// What nodes that have applied the same must agree on. A gauge holds 53 bits for sure: 48 of the
// digest are enough to see that two differ.
void show_digest(Metrics& metrics, const LogPartition& partition, Offset offset,
                 const state::Digest& digest) {
  constexpr std::uint64_t kShown = (std::uint64_t{1} << 48) - 1;
  metrics
      .gauge("state_digest", "The last 48 bits of the facts' digest at state_digest_offset.",
             of(partition))
      .set(static_cast<double>(digest.low & kShown));
  metrics
      .gauge("state_digest_offset", "The last offset divisible by 65,536 that was committed.",
             of(partition))
      .set(static_cast<double>(offset));
}

}  // namespace

PartitionRunner::PartitionRunner(std::uint16_t partition, const RunnerParts& parts,
                                 CommitLimits limits, std::size_t batch_records)
    : partition_{Topic::kInteractions, partition},
      parts_(parts),
      limits_(limits),
      batch_records_(batch_records),
      applier_(*parts.store, *parts.views, parts.tap, parts.tests),
      events_applied_(parts.metrics->counter("events_applied_total",
                                             "Interactions folded into state.", of(partition_))),
      duplicates_id_(parts.metrics->counter("duplicates_dropped_total",
                                            "Records dropped because they had been applied before.",
                                            {{"kind", "id"}})),
      duplicates_offset_(parts.metrics->counter(
          "duplicates_dropped_total", "Records dropped because they had been applied before.",
          {{"kind", "offset"}})),
      late_(parts.metrics->counter("late_events_total", "Events too old to count in any trend.")),
      dead_letters_(parts.metrics->counter("dlq_total", "Records moved to the dead letters.",
                                           {{"reason", "refused"}})),
      lag_offsets_(parts.metrics->gauge("apply_lag_offsets", "Records in the log not yet applied.",
                                        of(partition_))),
      lag_seconds_(parts.metrics->gauge("apply_lag_seconds",
                                        "Age of the last applied record while there are more.",
                                        of(partition_))),
      batch_seconds_(parts.metrics->histogram("apply_batch_seconds", "Time to apply one batch.")),
      visible_seconds_(parts.metrics->histogram(
          "event_to_visible_seconds", "From append to visible, per batch's oldest record.")) {
  const Offset last = parts_.store->digest().first / kDigestEvery * kDigestEvery;
  const auto kept = parts_.store->digest_at(last);
  const bool known = kept && *kept;
  show_digest(*parts_.metrics, partition_, known ? last : 0, known ? **kept : state::Digest());
}

Status PartitionRunner::check_log() const {
  const auto applied = parts_.store->published();
  const auto name = "partition " + std::to_string(partition_.index);
  const auto start = parts_.log->start(partition_);
  const auto end = parts_.log->end(partition_);
  if (applied.next_offset < start) {
    return fail(Code::kNotFound,
                name + ": the log starts at " + std::to_string(start) + ", behind the state's " +
                    std::to_string(applied.next_offset) +
                    ": restore a backup that reaches it, or start a node that has it");
  }
  if (applied.next_offset > end) {
    return fail(
        Code::kCorrupt,
        name + ": the state is at " + std::to_string(applied.next_offset) +
            " but the log ends at " + std::to_string(end) +
            ": the log was truncated or replaced; restore it, or remove the state folder to "
            "rebuild it from this log");
  }
  if (applied.last_record_hash == 0 || applied.next_offset <= start) return {};
  MILLRACE_TRY(const auto last, parts_.log->read(partition_, applied.next_offset - 1, 1, 1));
  if (last.empty() || record_hash(last.front().bytes) != applied.last_record_hash) {
    return fail(Code::kCorrupt, name + ": the record at " +
                                    std::to_string(applied.next_offset - 1) +
                                    " is not the one that was applied: this log belongs to another "
                                    "state; restore the matching one");
  }
  return {};
}

Offset PartitionRunner::next_cut(Offset from) const {
  Offset cut = (from / kDigestEvery + 1) * kDigestEvery;
  const std::lock_guard lock(digests_mutex_);
  const auto wanted = wanted_digests_.upper_bound(from);
  if (wanted != wanted_digests_.end()) cut = std::min(cut, wanted->first);
  return cut;
}

bool PartitionRunner::digest_wanted(Offset at) const {
  const std::lock_guard lock(digests_mutex_);
  return !wanted_digests_.empty() && wanted_digests_.begin()->first <= at;
}

Result<bool> PartitionRunner::step() {
  auto& store = *parts_.store;
  // A commit still being written keeps its pages in memory: with it, the next one may fill up, no
  // more.
  if (committing_ > 0 && store.dirty_bytes() > limits_.dirty_bytes) return false;
  const auto from = store.applied().next_offset;
  // Whoever asks for the digest of here neither waits for a limit nor is passed by. A commit that
  // is under way and has everything answers by itself.
  if (digest_wanted(from) && (first_change_us_ != 0 || committing_ == 0)) cut();
  const bool behind = lag() > kBehindRecords;
  const auto batches = behind ? kBehindBatches : 1;
  MILLRACE_TRY(auto batch,
               parts_.log->read(partition_, from, batch_records_ * batches, kBatchBytes * batches));
  if (batch.empty()) {
    lag_offsets_.set(0);
    lag_seconds_.set(0);
    if (first_change_us_ != 0 && commit_due_ms() <= 0 && committing_ == 0) cut();
    return false;
  }
  const auto started_us = steady_micros();
  const auto cut_at = next_cut(from);
  while (!batch.empty() && batch.back().offset >= cut_at) batch.pop_back();
  MILLRACE_CHECK(applier_.apply(batch));
  crash_point("apply_before_publish");
  const auto next = store.applied().next_offset;
  parts_.publisher->offer(partition_, next, store.publish(), lag() > kBehindRecords);
  if (first_change_us_ == 0) first_change_us_ = steady_micros();
  events_since_cut_ += batch.size();
  refresh_metrics(batch, started_us);
  const bool due = events_since_cut_ >= limits_.events || commit_due_ms() <= 0 ||
                   store.dirty_bytes() >= limits_.dirty_bytes;
  if (next == cut_at || (due && committing_ == 0)) cut();
  return true;
}

int PartitionRunner::commit_due_ms() const {
  if (first_change_us_ == 0) return -1;
  const auto waited_ms = (steady_micros() - first_change_us_) / 1000;
  const auto longest_ms = std::max<std::int64_t>(limits_.interval_ms, kLongestIntervalMs);
  const auto interval_ms = std::clamp<std::int64_t>(kCommitShare * commit_cost_us_ / 1000,
                                                    limits_.interval_ms, longest_ms);
  return static_cast<int>(std::max<std::int64_t>(0, interval_ms - waited_ms));
}

void PartitionRunner::commit_now() {
  parts_.publisher->offer(partition_, parts_.store->applied().next_offset, parts_.store->publish(),
                          false);
  cut();
}

void PartitionRunner::cut() {
  first_change_us_ = 0;
  events_since_cut_ = 0;
  const auto commit = parts_.store->freeze();
  if (!commit) return written();
  ++committing_;
  crash_point("commit_frozen");
  parts_.commits->submit({[this, commit] { return write(*commit); },
                          [this] { return parts_.store->db().reopen(); },
                          [this] {
                            --committing_;
                            written();
                            parts_.wake();
                          }});
}

Status PartitionRunner::write(const state::Commit& commit) {
  const auto started_us = steady_micros();
  MILLRACE_CHECK(parts_.store->write(commit));
  commit_cost_us_ = steady_micros() - started_us;
  return {};
}

void PartitionRunner::written() {
  const auto [offset, digest] = parts_.store->digest();
  if (offset % kDigestEvery == 0) show_digest(*parts_.metrics, partition_, offset, digest);
  std::vector<std::function<void(Result<state::Digest>)>> reached, passed;
  {
    const std::lock_guard lock(digests_mutex_);
    const auto beyond = wanted_digests_.upper_bound(offset);
    for (auto it = wanted_digests_.begin(); it != beyond; ++it) {
      (it->first == offset ? reached : passed).push_back(std::move(it->second));
    }
    wanted_digests_.erase(wanted_digests_.begin(), beyond);
  }
  for (auto& done : reached) done(digest);
  for (auto& done : passed) done(passed_error());
}

void PartitionRunner::digest_at(Offset offset, std::function<void(Result<state::Digest>)> done) {
  const auto kept = parts_.store->digest_at(offset);
  if (!kept) return done(tl::unexpected<Error>(kept.error()));
  if (*kept) return done(**kept);
  const auto [at, digest] = parts_.store->digest();
  if (at == offset) return done(digest);
  if (parts_.store->published().next_offset > offset) {
    return done(passed_error());
  }
  {
    const std::lock_guard lock(digests_mutex_);
    wanted_digests_.emplace(offset, std::move(done));
  }
  parts_.wake();
}

std::uint64_t PartitionRunner::lag() const {
  const auto end = parts_.log->end(partition_);
  const auto next = parts_.store->published().next_offset;
  return end > next ? static_cast<std::uint64_t>(end - next) : 0;
}

void PartitionRunner::refresh_metrics(const std::vector<ingest::StoredRecord>& batch,
                                      std::int64_t started_us) {
  const auto& now = applier_.figures();
  const auto step = [](Counter& counter, std::uint64_t& reported, std::uint64_t value) {
    if (value != reported) counter.inc(static_cast<double>(value - std::exchange(reported, value)));
  };
  step(events_applied_, reported_.applied, now.applied);
  step(duplicates_id_, reported_.duplicates_by_id, now.duplicates_by_id);
  step(duplicates_offset_, reported_.duplicates_by_offset, now.duplicates_by_offset);
  step(late_, reported_.late, now.late);
  step(dead_letters_, reported_.dead_letters, now.dead_letters);
  const auto wall = parts_.clock->now();
  lag_offsets_.set(static_cast<double>(lag()));
  lag_seconds_.set(lag() == 0 ? 0 : static_cast<double>(wall - batch.back().append_time) / 1000.0);
  batch_seconds_.observe(static_cast<double>(steady_micros() - started_us) / 1e6);
  visible_seconds_.observe(
      static_cast<double>(std::max<UnixMillis>(0, wall - batch.front().append_time)) / 1000.0);
}

}  // namespace millrace::processors
