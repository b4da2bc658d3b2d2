#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "schemas/ids.h"

namespace millrace::ingest {

// The bytes of the embedded log's segment files; ingest/FORMAT.md draws them. Everything here is
// pure: no files, no clock.

inline constexpr std::uint32_t kSegmentFormat = 1;
inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr std::size_t kMaxRecordBytes = 64u << 20;  // what a reader believes a length to be

struct SegmentHeader {
  std::uint64_t identity = 0;        // of the log, drawn when it was created
  std::uint64_t sequence = 0;        // 1 for the log's first segment
  std::uint64_t previous_bytes = 0;  // final length of the segment before this one
  UnixMillis time_floor = 0;         // no record here or later is older
  std::uint16_t interaction_partitions = 0;
  std::vector<Offset> next;  // by slot: the offset its next record gets

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

std::size_t segment_header_bytes(std::uint16_t interaction_partitions);
std::string encode(const SegmentHeader& header);
// The header at the front of `bytes`. kCorrupt when it is short or damaged, kInvalid for a format
// that this program is too old to read.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

// Starts every record's checksum, so that bytes of another log or segment never pass for this
// one's.
std::uint32_t segment_salt(const SegmentHeader& header);

struct SegmentRecord {
  LogPartition partition;
  Offset offset = 0;
  UnixMillis append_time = 0;
  // Where the group it was written with starts. Everything below was synced before that write
  // began, so a whole record proves that damage below its group is no torn write.
  std::uint32_t group_start = 0;
  bool ends_append = false;  // the last record of an append; recovery keeps appends whole
  std::string_view bytes;
};

inline std::size_t stored_bytes(const SegmentRecord& record) {
  return kRecordHeaderBytes + record.bytes.size();
}

void append_record(std::string& out, const SegmentRecord& record, std::uint32_t salt);

enum class Check { kHeader, kChecksum };

// The record at the front of `bytes`, which it views. Nothing when there is no sound one; with
// Check::kHeader only fields are looked at, which is enough to step over other partitions' records
// because offsets are dense and a wrong step shows.
std::optional<SegmentRecord> parse_record(std::string_view bytes, const SegmentHeader& header,
                                          std::uint32_t salt, Check check);

// Bytes that the record at the front of `bytes` claims to take (at least kRecordHeaderBytes of it
// must be there). Not bounded.
std::size_t claimed_bytes(std::string_view bytes);

struct SegmentScan {
  enum class Tail {
    kClean,
    kTorn,     // what follows good_bytes is the rest of a write that was never acknowledged
    kCorrupt,  // bytes that had been synced are damaged at bad_at
  };
  Tail tail = Tail::kClean;
  std::uint64_t good_bytes = 0;  // where the last whole append ends
  std::uint64_t bad_at = 0;
  std::vector<Offset> next;  // by slot, behind good_bytes
  UnixMillis time = 0;       // of the last record, or the header's floor
};

// Goes over a last segment from its header to its end. `visit` sees each record with its position,
// in order, also those behind good_bytes that recovery will drop.
SegmentScan scan_segment(std::string_view file, const SegmentHeader& header,
                         const std::function<void(const SegmentRecord&, std::uint64_t)>& visit);

}  // namespace millrace::ingest
