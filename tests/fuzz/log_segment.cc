// The scanner of the embedded log's segments. The first byte says how the rest is taken: as a whole
// file, as records behind a good header, or as the same with their checksums made right.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "ingest/segment.h"

namespace {

using namespace millrace;
using namespace millrace::ingest;

void must(bool holds) {
  if (!holds) std::abort();
}

SegmentHeader good_header() {
  return {.identity = 7,
          .sequence = 1,
          .previous_bytes = 0,
          .time_floor = 0,
          .interaction_partitions = 2,
          .next = {0, 0, 0}};
}

void make_checksums_right(std::string& file, std::size_t at, std::uint32_t salt) {
  while (file.size() - at >= kRecordHeaderBytes) {
    const std::size_t length = claimed_bytes(std::string_view(file).substr(at));
    if (length > file.size() - at) return;
    const auto crc = static_cast<std::uint32_t>(
        crc32_z(salt, reinterpret_cast<const unsigned char*>(file.data()) + at + 4, length - 4));
    std::memcpy(file.data() + at, &crc, 4);
    at += length;
  }
}

void scan(std::string_view file, const SegmentHeader& header) {
  std::uint64_t seen_to = segment_header_bytes(header.interaction_partitions);
  std::size_t seen_bytes = 0;
  const auto first = scan_segment(file, header, [&](const SegmentRecord& record, std::uint64_t at) {
    must(at == seen_to && slot_of(record.partition, header.interaction_partitions).has_value());
    seen_to = at + stored_bytes(record);
    for (const char c : record.bytes) seen_bytes += static_cast<unsigned char>(c) > 0;
  });
  must(first.good_bytes <= file.size() && seen_to <= file.size() && seen_bytes <= file.size());
  must(first.next.size() == header.next.size());
  if (first.tail == SegmentScan::Tail::kClean) must(first.good_bytes == file.size());
  if (first.tail == SegmentScan::Tail::kCorrupt) return;
  // What recovery leaves is clean, and the same.
  const auto again = scan_segment(file.substr(0, first.good_bytes), header,
                                  [](const SegmentRecord&, std::uint64_t) {});
  must(again.tail == SegmentScan::Tail::kClean && again.next == first.next &&
       again.time == first.time);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    const auto header = decode_segment_header(bytes);
    if (!header.has_value()) return 0;
    must(encode(*header) == bytes.substr(0, segment_header_bytes(header->interaction_partitions)));
    scan(bytes, *header);
    return 0;
  }
  const SegmentHeader header = good_header();
  std::string file = encode(header);
  const std::size_t start = file.size();
  file += bytes;
  if (data[0] % 3 == 2) make_checksums_right(file, start, segment_salt(header));
  scan(file, header);
  return 0;
}
