#include "ingest/log_reader.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kReadAhead = 512u << 10;

}  // namespace

Result<std::vector<StoredRecord>> LogReader::read(std::size_t slot, Offset from, Offset end,
                                                  std::size_t max_records, std::size_t max_bytes) {
  std::vector<StoredRecord> out;
  if (from >= end || max_records == 0) return out;
  MILLRACE_TRY(std::unique_ptr<Cursor> cursor, cursor_for(slot, from));
  std::size_t bytes = 0;
  Offset wanted = from;
  while (wanted < end && out.size() < max_records && (out.empty() || bytes < max_bytes)) {
    auto record = next_record(slot, *cursor, wanted);
    if (!record.has_value()) {
      if (out.empty()) return tl::unexpected(std::move(record.error()));
      return out;  // the next read starts at the trouble and says so
    }
    bytes += record->bytes.size();
    out.push_back(std::move(*record));
    ++wanted;
  }
  const std::lock_guard lock(slots_[slot].mutex);
  if (view_.tail_holds(slot, wanted)) cursor.reset();
  slots_[slot].idle = std::move(cursor);
  return out;
}

void LogReader::close_idle() {
  for (Slot& slot : slots_) {
    const std::lock_guard lock(slot.mutex);
    slot.idle.reset();
  }
}

Result<std::unique_ptr<LogReader::Cursor>> LogReader::cursor_for(std::size_t slot, Offset from) {
  Slot& state = slots_[slot];
  {
    const std::lock_guard lock(state.mutex);
    if (state.corrupt_at >= 0 && from >= state.corrupt_at) {
      return fail(Code::kCorrupt, state.corruption);
    }
    if (state.idle && state.idle->next == from &&
        view_.bytes_of(state.idle->segment->header.sequence)) {
      return std::move(state.idle);
    }
  }
  return seek(slot, from);
}

Result<std::unique_ptr<LogReader::Cursor>> LogReader::seek(std::size_t slot, Offset from) {
  auto place = view_.locate(slot, from);
  if (!place) return fail(Code::kNotFound, "offset " + std::to_string(from) + " has been trimmed");
  auto cursor = std::make_unique<Cursor>();
  cursor->segment = place->segment;
  MILLRACE_TRY(cursor->file, files_.open(place->segment->path, FileMode::kRead));
  if (!place->indexed && place->offset < from) {
    cursor->limit = place->bytes;
    cursor->position = place->position;
    build_index(*cursor);
    if (auto better = view_.locate(slot, from)) place = std::move(better);
  }
  cursor->limit = place->bytes;
  cursor->position = place->position;
  cursor->next = place->offset;
  return cursor;
}

Result<StoredRecord> LogReader::next_record(std::size_t slot, Cursor& cursor, Offset wanted) {
  for (;;) {
    if (cursor.position == cursor.limit) {
      const auto now = view_.bytes_of(cursor.segment->header.sequence);
      if (!now) return fail(Code::kNotFound, "trimmed while it was read");
      if (*now == cursor.limit) {
        // Nothing more here: the record is in a later segment, or missing.
        MILLRACE_TRY(auto later, seek(slot, wanted));
        if (later->segment == cursor.segment) {
          return tl::unexpected(corrupt(slot, cursor, wanted, "records are missing at the end"));
        }
        cursor = std::move(*later);
      } else {
        cursor.limit = *now;
      }
      continue;
    }
    MILLRACE_TRY(std::string_view bytes, bytes_at(cursor, kRecordHeaderBytes));
    if (bytes.size() < kRecordHeaderBytes) {
      return tl::unexpected(corrupt(slot, cursor, wanted, "a record is cut off"));
    }
    const std::size_t length = claimed_bytes(bytes);
    if (length > cursor.limit - cursor.position) {
      return tl::unexpected(corrupt(slot, cursor, wanted, "a record's length is damaged"));
    }
    MILLRACE_TRY(bytes, bytes_at(cursor, length));
    const Segment& segment = *cursor.segment;
    auto record = parse_record(bytes, segment.header, segment.salt, Check::kHeader);
    const bool ours =
        record && slot_of(record->partition, segment.header.interaction_partitions) == slot;
    // Others' records are stepped over unchecked: had one led us astray, our offsets would show it.
    if (record && ours && record->offset >= wanted) {
      record = parse_record(bytes, segment.header, segment.salt, Check::kChecksum);
    }
    if (!record) return tl::unexpected(corrupt(slot, cursor, wanted, "a record is damaged"));
    if (ours && record->offset != cursor.next) {
      return tl::unexpected(corrupt(slot, cursor, wanted, "a record is missing"));
    }
    cursor.position += length;
    if (!ours) continue;
    ++cursor.next;
    if (record->offset < wanted) continue;
    return StoredRecord{record->offset, record->append_time, std::string(record->bytes)};
  }
}

// At least `wanted` bytes at the cursor's position, fewer where the durable part of the file ends.
Result<std::string_view> LogReader::bytes_at(Cursor& cursor, std::size_t wanted) {
  const std::uint64_t offset = cursor.position - cursor.buffer_at;
  if (cursor.position < cursor.buffer_at || offset + wanted > cursor.buffer.size()) {
    const auto size =
        std::min<std::uint64_t>(std::max(wanted, kReadAhead), cursor.limit - cursor.position);
    cursor.buffer.resize(size);
    cursor.buffer_at = cursor.position;
    MILLRACE_TRY(const std::size_t got, cursor.file->read_at(cursor.position, cursor.buffer));
    cursor.buffer.resize(got);
  }
  return std::string_view(cursor.buffer).substr(cursor.position - cursor.buffer_at);
}

// Stops at damage: the read that follows will come upon it and say so.
void LogReader::build_index(const Cursor& at) {
  const SegmentHeader& header = at.segment->header;
  Cursor cursor{.segment = at.segment,
                .file = nullptr,
                .limit = at.limit,
                .position = at.position,
                .buffer = {}};
  auto file = files_.open(at.segment->path, FileMode::kRead);
  if (!file.has_value()) return;
  cursor.file = std::move(*file);
  auto index = std::make_shared<SegmentIndex>(header.next.size());
  std::vector<Offset> next = header.next;
  while (cursor.position < cursor.limit) {
    auto bytes = bytes_at(cursor, kRecordHeaderBytes);
    if (!bytes.has_value() || bytes->size() < kRecordHeaderBytes) break;
    bytes = bytes_at(cursor, claimed_bytes(*bytes));
    if (!bytes.has_value()) break;
    const auto record = parse_record(*bytes, header, at.segment->salt, Check::kHeader);
    if (!record) break;
    const std::size_t slot = *slot_of(record->partition, header.interaction_partitions);
    if (record->offset != next[slot]++) break;
    index->add(slot, record->offset, cursor.position);
    cursor.position += stored_bytes(*record);
  }
  view_.keep_index(header.sequence, std::move(index));
}

Error LogReader::corrupt(std::size_t slot, const Cursor& cursor, Offset wanted,
                         std::string_view why) {
  Error error{Code::kCorrupt,
              cursor.segment->path + " is corrupt at byte " + std::to_string(cursor.position) +
                  " (looking for offset " + std::to_string(wanted) + "): " + std::string(why) +
                  ". Nothing behind it is served: restore this file from a backup",
              {}};
  const std::lock_guard lock(slots_[slot].mutex);
  if (slots_[slot].corrupt_at < 0 || wanted < slots_[slot].corrupt_at) {
    slots_[slot].corrupt_at = wanted;
    slots_[slot].corruption = error.detail;
    log_error(error.detail);
  }
  return error;
}

}  // namespace millrace::ingest
