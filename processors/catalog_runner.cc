#include "processors/catalog_runner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/crash_point.h"
#include "processors/apply.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kBatchRecords = 4096;
constexpr std::size_t kBatchBytes = 4u << 20;
constexpr std::uint64_t kBehindRecords = 10'000;
constexpr std::size_t kCarryAtOnce = 1000;

}  // namespace

CatalogRunner::CatalogRunner(Parts parts, int commit_interval_ms)
    : parts_(std::move(parts)),
      interval_ms_(commit_interval_ms),
      applied_(parts_.store->next_offset()),
      lag_offsets_(parts_.metrics->gauge("apply_lag_offsets", "Records in the log not yet applied.",
                                         {{"partition", "catalog"}})) {
  // What the slowest partition has applied is certainly carried; a repeat beyond it has no effect.
  carried_to_ = INT64_MAX;
  for (const auto* store : parts_.partitions) {
    carried_to_ = std::min(carried_to_, store->published().carried_catalog_offset);
  }
}

Status CatalogRunner::check_log() const {
  const auto start = parts_.log->start(kCatalogPartition);
  const auto end = parts_.log->end(kCatalogPartition);
  if (applied_ < start || applied_ > end) {
    return fail(applied_ < start ? Code::kNotFound : Code::kCorrupt,
                "catalog: the state is at " + std::to_string(applied_) + " but the log holds " +
                    std::to_string(start) + " to " + std::to_string(end) +
                    ": restore the matching log, or a backup");
  }
  if (applied_ == start || parts_.store->last_record_hash() == 0) return {};
  MILLRACE_TRY(const auto last, parts_.log->read(kCatalogPartition, applied_ - 1, 1, 1));
  if (last.empty() || record_hash(last.front().bytes) != parts_.store->last_record_hash()) {
    return fail(Code::kCorrupt, "catalog: the record at " + std::to_string(applied_ - 1) +
                                    " is not the one that was applied: this log belongs to another "
                                    "state; restore the matching one");
  }
  return {};
}

Result<bool> CatalogRunner::step() {
  MILLRACE_TRY(const auto batch,
               parts_.log->read(kCatalogPartition, applied_, kBatchRecords, kBatchBytes));
  lag_offsets_.set(static_cast<double>(lag()));
  if (batch.empty()) return false;
  for (const auto& record : batch) {
    parts_.store->apply(record.offset, record.append_time, record.bytes);
  }
  applied_ = batch.back().offset + 1;
  crash_point("catalog_before_publish");
  parts_.publisher->offer(kCatalogPartition, applied_, parts_.store->publish(),
                          lag() > kBehindRecords);
  if (first_change_us_ == 0) first_change_us_ = steady_micros();
  return true;
}

Status CatalogRunner::carry_erasures(std::span<const state::Demand> demands) {
  std::vector<ingest::Append> appends;
  for (const auto& demand : demands) {
    const auto partition = partition_of(demand.erase.value, parts_.log->interaction_partitions());
    if (parts_.partitions[partition]->published().carried_catalog_offset >= demand.catalog_offset) {
      continue;
    }
    appends.push_back({{Topic::kInteractions, partition},
                       demand.erase.value,
                       encode(LogRecord{EraseUser{demand.erase, demand.catalog_offset}})});
  }
  crash_point("carry_before_append");
  if (!appends.empty()) {
    auto appended = parts_.log->append_and_wait(std::move(appends));
    if (!appended) return tl::unexpected<Error>(appended.error());
  }
  return {};
}

Result<bool> CatalogRunner::carry() {
  for (;;) {
    const auto found = parts_.store->demands_after(carried_to_, kCarryAtOnce);
    if (found.empty()) return true;
    const std::span<const state::Demand> demands(found);
    const auto merge = std::find_if(demands.begin(), demands.end(),
                                    [](const auto& demand) { return !demand.into.value.empty(); });
    if (merge != demands.begin()) {
      const auto erasures = static_cast<std::size_t>(merge - demands.begin());
      MILLRACE_CHECK(carry_erasures(demands.first(erasures)));
      carried_to_ = demands[erasures - 1].catalog_offset;
      continue;
    }
    if (!merge_) {
      merge_.emplace(*merge, *parts_.log, parts_.partitions, parts_.interaction_weights);
    }
    MILLRACE_TRY(const bool done, merge_->step());
    if (!done) return false;
    merge_.reset();
    carried_to_ = merge->catalog_offset;
  }
}

int CatalogRunner::commit_due_ms() const {
  if (first_change_us_ == 0) return -1;
  const auto waited_ms = (steady_micros() - first_change_us_) / 1000;
  return static_cast<int>(std::max<std::int64_t>(0, interval_ms_ - waited_ms));
}

Status CatalogRunner::commit_if_due() {
  if (commit_due_ms() != 0) return {};
  MILLRACE_CHECK(parts_.store->commit());
  first_change_us_ = 0;
  return {};
}

std::uint64_t CatalogRunner::lag() const {
  const auto end = parts_.log->end(kCatalogPartition);
  return end > applied_ ? static_cast<std::uint64_t>(end - applied_) : 0;
}

}  // namespace millrace::processors
