#include "processors/merge.h"

#include <algorithm>

#include "base/crash_point.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "state/history.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kAtOnce = 1'000;  // copies of one append, and rows of one read

}  // namespace

PersonMerge::PersonMerge(
    state::Demand demand, ingest::EventLog& log,
    const std::vector<state::PartitionStore*>& partitions,
    const std::vector<std::pair<std::string, std::int32_t>>& interaction_weights)
    : demand_(std::move(demand)),
      log_(&log),
      from_(partitions[partition_of(demand_.erase.value, log.interaction_partitions())]),
      to_(partition_of(demand_.into.value, log.interaction_partitions())),
      table_(interaction_weights, from_->ruleset().types) {}

PersonMerge::Copy PersonMerge::copy_of(Offset offset, std::uint32_t type, bool tracked) const {
  Copy copy{offset, {}};
  copy.event.type_number = type;
  if (const auto* row = table_.find(type)) copy.event.weight = row->weight;
  auto& event = copy.event.event;
  event.source = tracked ? kMergedTrackedSource : kMergedSource;
  event.id = "merge:" + std::to_string(from_->partition()) + ":" + std::to_string(offset);
  return copy;
}

Status PersonMerge::add_history(std::vector<Copy>& out) const {
  state::HistoryQuery query;
  query.limit = kAtOnce;
  const auto keep_ms = from_->ruleset().history_retention_ms;
  if (keep_ms > 0) query.keep_after = from_->published().log_time - keep_ms;
  for (;;) {
    MILLRACE_TRY(const auto entries, from_->history(demand_.erase.value, query));
    for (const auto& entry : entries) {
      if (entry.offset <= copied_) return {};
      auto copy = copy_of(entry.offset, entry.type, entry.event.source == state::kTrackedSource);
      auto& event = copy.event.event;
      const auto source = std::move(event.source), id = std::move(event.id);
      event = entry.event;
      event.source = source;
      event.id = id;
      event.time = entry.event.time.value_or(entry.log_time);
      out.push_back(std::move(copy));
    }
    if (entries.size() < kAtOnce) return {};
    query.before = entries.back().offset;
  }
}

// What has a retention of its own is in no history.
Status PersonMerge::add_tracked(std::vector<Copy>& out) const {
  const auto ruleset = from_->ruleset();
  for (const auto& retention : ruleset.tracked_retention) {
    if (retention.ms == 0) continue;
    state::TrackedQuery query;
    query.type = retention.type;
    query.now = from_->published().log_time;
    query.retention = ruleset.tracked_retention;
    MILLRACE_TRY(const auto reader, from_->tracked(demand_.erase.value));
    MILLRACE_TRY(const auto rows, reader.rows(query, INT64_MAX, 0, SIZE_MAX));
    for (const auto& row : rows) {
      if (row.id <= copied_) break;
      auto copy = copy_of(row.id, row.type, true);
      auto& event = copy.event.event;
      copy.event.weight = row.weight;
      event.item = ItemId(std::string(reader.item(row)));
      event.time = row.updated;
      event.value_centi = row.value_centi;
      event.duration_s = row.duration_s;
      event.mood = row.mood;
      event.mood_intensity = row.intensity;
      event.context = row.context;
      event.notes = row.notes;
      out.push_back(std::move(copy));
    }
  }
  return {};
}

// Oldest first.
Result<std::vector<PersonMerge::Copy>> PersonMerge::copies() const {
  std::vector<Copy> out;
  MILLRACE_CHECK(add_history(out));
  MILLRACE_CHECK(add_tracked(out));
  std::sort(out.begin(), out.end(), [](const Copy& a, const Copy& b) { return a.of < b.of; });
  for (Copy& copy : out) copy.event.event.user = demand_.into;
  return out;
}

Status PersonMerge::append(const std::vector<Copy>& copies) {
  for (std::size_t begin = 0; begin < copies.size(); begin += kAtOnce) {
    const auto end = std::min(begin + kAtOnce, copies.size());
    std::vector<ingest::Append> appends;
    for (std::size_t i = begin; i < end; ++i) {
      appends.push_back(
          {{Topic::kInteractions, to_}, demand_.into.value, encode(LogRecord{copies[i].event})});
    }
    auto appended = log_->append_and_wait(std::move(appends));
    if (!appended) return tl::unexpected<Error>(appended.error());
    copied_ = copies[end - 1].of;
    crash_point("merge_copied");
  }
  return {};
}

Result<bool> PersonMerge::step() {
  const auto published = from_->published();
  if (published.carried_catalog_offset >= demand_.catalog_offset) return true;
  if (published.next_offset < wait_for_) return false;
  // Counted before they are read: what comes in between is copied, and the erasure then does
  // nothing, as it must.
  MILLRACE_TRY(const auto view, from_->read(demand_.erase.value));
  const auto events = view.person ? view.person->events : 0;
  MILLRACE_TRY(const auto found, copies());
  crash_point("merge_before_copy");
  MILLRACE_CHECK(append(found));
  crash_point("merge_before_erase");
  const LogPartition partition{Topic::kInteractions, from_->partition()};
  auto appended = log_->append_and_wait(
      {{partition, demand_.erase.value,
        encode(LogRecord{EraseUser{demand_.erase, demand_.catalog_offset, events}})}});
  if (!appended) return tl::unexpected<Error>(appended.error());
  wait_for_ = appended->back() + 1;
  crash_point("merge_erased");
  return false;
}

}  // namespace millrace::processors
