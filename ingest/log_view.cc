#include "ingest/log_view.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace millrace::ingest {
namespace {

constexpr Offset kIndexRecords = 64;
constexpr std::uint64_t kIndexBytes = 64u << 10;
constexpr std::size_t kIndexesKept = 32;      // about 60 KiB each at 64 MiB and 300-byte records
constexpr std::size_t kTailRecordBytes = 64;  // what a record in memory costs beside its bytes

}  // namespace

void SegmentIndex::add(std::size_t slot, Offset offset, std::uint64_t position) {
  auto& entries = by_slot_[slot];
  if (!entries.empty() && offset - entries.back().offset < kIndexRecords &&
      position - entries.back().position < kIndexBytes) {
    return;
  }
  entries.push_back({offset, static_cast<std::uint32_t>(position)});
}

void SegmentIndex::drop_from(std::uint64_t position) {
  for (auto& entries : by_slot_) {
    while (!entries.empty() && entries.back().position >= position) entries.pop_back();
  }
}

std::optional<std::pair<Offset, std::uint64_t>> SegmentIndex::floor(std::size_t slot,
                                                                    Offset offset) const {
  const auto& entries = by_slot_[slot];
  auto it = std::upper_bound(entries.begin(), entries.end(), offset,
                             [](Offset wanted, const Entry& e) { return wanted < e.offset; });
  if (it == entries.begin()) return std::nullopt;
  --it;
  return std::pair{it->offset, std::uint64_t{it->position}};
}

void LogTail::push(std::size_t slot, StoredRecord record) {
  bytes_ += record.bytes.size() + kTailRecordBytes;
  by_slot_[slot].push_back(std::move(record));
  order_.push_back(static_cast<std::uint16_t>(slot));
  while (bytes_ > max_bytes_) {
    auto& oldest = by_slot_[order_.front()];
    bytes_ -= oldest.front().bytes.size() + kTailRecordBytes;
    oldest.pop_front();
    order_.pop_front();
  }
}

bool LogTail::holds(std::size_t slot, Offset offset) const {
  const auto& records = by_slot_[slot];
  return !records.empty() && records.front().offset <= offset && offset <= records.back().offset;
}

std::vector<StoredRecord> LogTail::read(std::size_t slot, Offset from, std::size_t max_records,
                                        std::size_t max_bytes) const {
  const auto& records = by_slot_[slot];
  std::vector<StoredRecord> out;
  std::size_t bytes = 0;
  for (auto i = static_cast<std::size_t>(from - records.front().offset);
       i < records.size() && out.size() < max_records; ++i) {
    if (!out.empty() && bytes + records[i].bytes.size() > max_bytes) break;
    bytes += records[i].bytes.size();
    out.push_back(records[i]);
  }
  return out;
}

LogView::LogView(std::deque<Entry> segments, std::vector<Offset> next, std::size_t tail_bytes)
    : segments_(std::move(segments)), next_(std::move(next)), tail_(next_.size(), tail_bytes) {
  for (const auto& entry : segments_) total_bytes_ += entry.bytes;
}

void LogView::add_segment(std::shared_ptr<const Segment> segment, std::uint64_t bytes) {
  const std::unique_lock lock(mutex_);
  const std::size_t slots = segment->header.next.size();
  total_bytes_ += bytes;
  segments_.push_back({std::move(segment), bytes, std::make_shared<SegmentIndex>(slots)});
  forget_old_indexes();
}

void LogView::publish(std::uint64_t bytes, std::vector<WrittenRecord> records) {
  const std::unique_lock lock(mutex_);
  Entry& newest = segments_.back();
  total_bytes_ += bytes - newest.bytes;
  newest.bytes = bytes;
  for (auto& written : records) {
    newest.index->add(written.slot, written.record.offset, written.position);
    next_[written.slot] = written.record.offset + 1;
    tail_.push(written.slot, std::move(written.record));
  }
}

std::vector<std::shared_ptr<const Segment>> LogView::trim(std::span<const Offset> keep_from) {
  const std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<const Segment>> gone;
  while (segments_.size() > 1) {
    const auto& first_kept = segments_[1].segment->header.next;
    if (!std::equal(first_kept.begin(), first_kept.end(), keep_from.begin(), std::less_equal<>())) {
      break;
    }
    total_bytes_ -= segments_.front().bytes;
    gone.push_back(std::move(segments_.front().segment));
    segments_.pop_front();
  }
  return gone;
}

Offset LogView::start(std::size_t slot) const {
  const std::shared_lock lock(mutex_);
  return segments_.front().segment->header.next[slot];
}

Offset LogView::end(std::size_t slot) const {
  const std::shared_lock lock(mutex_);
  return next_[slot];
}

std::uint64_t LogView::total_bytes() const {
  const std::shared_lock lock(mutex_);
  return total_bytes_;
}

std::optional<std::vector<StoredRecord>> LogView::read_tail(std::size_t slot, Offset from,
                                                            std::size_t max_records,
                                                            std::size_t max_bytes) const {
  const std::shared_lock lock(mutex_);
  if (!tail_.holds(slot, from)) return std::nullopt;
  return tail_.read(slot, from, max_records, max_bytes);
}

bool LogView::tail_holds(std::size_t slot, Offset offset) const {
  const std::shared_lock lock(mutex_);
  return tail_.holds(slot, offset);
}

std::optional<LogView::Place> LogView::locate(std::size_t slot, Offset offset) const {
  const std::shared_lock lock(mutex_);
  // The last segment that begins at or before `offset`: those before it hold none so high.
  auto it = std::upper_bound(
      segments_.begin(), segments_.end(), offset,
      [slot](Offset wanted, const Entry& e) { return wanted < e.segment->header.next[slot]; });
  if (it == segments_.begin()) return std::nullopt;
  --it;
  const SegmentHeader& header = it->segment->header;
  Place place{.segment = it->segment,
              .bytes = it->bytes,
              .offset = header.next[slot],
              .position = segment_header_bytes(header.interaction_partitions),
              .indexed = it->index != nullptr};
  if (it->index == nullptr) return place;
  if (const auto known = it->index->floor(slot, offset)) {
    place.offset = known->first;
    place.position = known->second;
  }
  return place;
}

std::optional<std::uint64_t> LogView::bytes_of(std::uint64_t sequence) const {
  const std::shared_lock lock(mutex_);
  const Entry* entry = find(sequence);
  if (entry == nullptr) return std::nullopt;
  return entry->bytes;
}

void LogView::keep_index(std::uint64_t sequence, std::shared_ptr<SegmentIndex> index) {
  const std::unique_lock lock(mutex_);
  auto* entry = const_cast<Entry*>(find(sequence));
  // The newest segment's index is the writer's.
  if (entry == nullptr || entry == &segments_.back() || entry->index != nullptr) return;
  forget_old_indexes();
  entry->index = std::move(index);
}

const LogView::Entry* LogView::find(std::uint64_t sequence) const {
  const std::uint64_t first = segments_.front().segment->header.sequence;
  if (sequence < first || sequence - first >= segments_.size()) return nullptr;
  return &segments_[sequence - first];
}

void LogView::forget_old_indexes() {
  std::size_t kept = 0;
  for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
    if (it->index != nullptr && ++kept > kIndexesKept) it->index.reset();
  }
}

}  // namespace millrace::ingest
