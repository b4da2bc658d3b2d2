#include "ingest/segment.h"

#include <zlib.h>

#include <bit>
#include <cstring>

namespace millrace::ingest {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMagic = "MRACELOG";
constexpr std::size_t kFixedHeaderBytes = 60;  // all but the offsets

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

std::uint32_t checksum(std::uint32_t start, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(start, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace

std::size_t segment_header_bytes(std::uint16_t interaction_partitions) {
  return kFixedHeaderBytes + 8 * (std::size_t{interaction_partitions} + 1);
}

std::string encode(const SegmentHeader& header) {
  std::string out(kMagic);
  put(out, kSegmentFormat);
  put(out, static_cast<std::uint32_t>(segment_header_bytes(header.interaction_partitions)));
  put(out, header.identity);
  put(out, header.sequence);
  put(out, header.previous_bytes);
  put(out, header.time_floor);
  put(out, header.interaction_partitions);
  put(out, std::uint16_t{0});
  put(out, std::uint32_t{0});
  for (const Offset next : header.next) put(out, next);
  put(out, checksum(0, out));
  return out;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kFixedHeaderBytes || bytes.substr(0, kMagic.size()) != kMagic) {
    return fail(Code::kCorrupt, "no segment header");
  }
  const auto format = get<std::uint32_t>(bytes, 8);
  if (format != kSegmentFormat) {
    return fail(Code::kInvalid, "segment format " + std::to_string(format) +
                                    ", this program reads " + std::to_string(kSegmentFormat) +
                                    ": use a newer millrace");
  }
  SegmentHeader header{.identity = get<std::uint64_t>(bytes, 16),
                       .sequence = get<std::uint64_t>(bytes, 24),
                       .previous_bytes = get<std::uint64_t>(bytes, 32),
                       .time_floor = get<std::int64_t>(bytes, 40),
                       .interaction_partitions = get<std::uint16_t>(bytes, 48),
                       .next = {}};
  const std::size_t length = segment_header_bytes(header.interaction_partitions);
  if (header.interaction_partitions > kMaxLogPartitions || bytes.size() < length ||
      get<std::uint32_t>(bytes, 12) != length ||
      get<std::uint32_t>(bytes, length - 4) != checksum(0, bytes.substr(0, length - 4))) {
    return fail(Code::kCorrupt, "damaged segment header");
  }
  for (std::size_t at = kFixedHeaderBytes - 4; at < length - 4; at += 8) {
    header.next.push_back(get<std::int64_t>(bytes, at));
  }
  return header;
}

std::uint32_t segment_salt(const SegmentHeader& header) {
  std::string seed;
  put(seed, header.identity);
  put(seed, header.sequence);
  return checksum(0, seed);
}

void append_record(std::string& out, const SegmentRecord& record, std::uint32_t salt) {
  const std::size_t start = out.size();
  char head[kRecordHeaderBytes];
  const auto length = static_cast<std::uint32_t>(record.bytes.size());
  std::memcpy(head + 4, &length, 4);
  head[8] = static_cast<char>(record.partition.topic);
  head[9] = record.ends_append ? 1 : 0;
  std::memcpy(head + 10, &record.partition.index, 2);
  std::memcpy(head + 12, &record.group_start, 4);
  std::memcpy(head + 16, &record.offset, 8);
  std::memcpy(head + 24, &record.append_time, 8);
  out.append(head, sizeof(head)).append(record.bytes);
  const std::uint32_t crc = checksum(salt, std::string_view(out).substr(start + 4));
  std::memcpy(out.data() + start, &crc, 4);
}

std::size_t claimed_bytes(std::string_view bytes) {
  return kRecordHeaderBytes + get<std::uint32_t>(bytes, 4);
}

std::optional<SegmentRecord> parse_record(std::string_view bytes, const SegmentHeader& header,
                                          std::uint32_t salt, Check check) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  const std::size_t length = claimed_bytes(bytes);
  const auto topic = get<std::uint8_t>(bytes, 8);
  const auto flags = get<std::uint8_t>(bytes, 9);
  if (length > kRecordHeaderBytes + kMaxRecordBytes || length > bytes.size() || flags > 1) {
    return std::nullopt;
  }
  SegmentRecord record{.partition = {static_cast<Topic>(topic), get<std::uint16_t>(bytes, 10)},
                       .offset = get<std::int64_t>(bytes, 16),
                       .append_time = get<std::int64_t>(bytes, 24),
                       .group_start = get<std::uint32_t>(bytes, 12),
                       .ends_append = flags == 1,
                       .bytes = bytes.substr(kRecordHeaderBytes, length - kRecordHeaderBytes)};
  if (!slot_of(record.partition, header.interaction_partitions) || record.offset < 0 ||
      record.append_time < header.time_floor) {
    return std::nullopt;
  }
  if (check == Check::kChecksum &&
      get<std::uint32_t>(bytes, 0) != checksum(salt, bytes.substr(4, length - 4))) {
    return std::nullopt;
  }
  return record;
}

namespace {

// Whether a whole record stands behind `bad_at` in a group that was begun after `bad_at` was
// synced.
bool later_group_follows(std::string_view file, const SegmentHeader& header, std::uint32_t salt,
                         std::uint64_t bad_at) {
  for (std::uint64_t at = bad_at + 1; at + kRecordHeaderBytes <= file.size(); ++at) {
    const auto group_start = get<std::uint32_t>(file, at + 12);
    if (group_start <= bad_at || group_start > at) continue;
    if (parse_record(file.substr(at), header, salt, Check::kChecksum)) return true;
  }
  return false;
}

}  // namespace

SegmentScan scan_segment(std::string_view file, const SegmentHeader& header,
                         const std::function<void(const SegmentRecord&, std::uint64_t)>& visit) {
  const std::uint32_t salt = segment_salt(header);
  std::uint64_t at = segment_header_bytes(header.interaction_partitions);
  SegmentScan scan{.good_bytes = at, .next = header.next, .time = header.time_floor};
  std::vector<Offset> next = header.next;
  UnixMillis time = header.time_floor;
  while (at < file.size()) {
    const auto record = parse_record(file.substr(at), header, salt, Check::kChecksum);
    if (!record) {
      scan.bad_at = at;
      scan.tail = later_group_follows(file, header, salt, at) ? SegmentScan::Tail::kCorrupt
                                                              : SegmentScan::Tail::kTorn;
      return scan;
    }
    const std::size_t slot = *slot_of(record->partition, header.interaction_partitions);
    // No torn write has a good checksum, so these are damage wherever they stand.
    if (record->offset != next[slot] || record->append_time < time || record->group_start > at) {
      scan.bad_at = at;
      scan.tail = SegmentScan::Tail::kCorrupt;
      return scan;
    }
    visit(*record, at);
    ++next[slot];
    time = record->append_time;
    at += stored_bytes(*record);
    if (record->ends_append) {
      scan.good_bytes = at;
      scan.next = next;
      scan.time = time;
    }
  }
  if (scan.good_bytes != file.size()) {
    scan.tail = SegmentScan::Tail::kTorn;
    scan.bad_at = scan.good_bytes;
  }
  return scan;
}

}  // namespace millrace::ingest
