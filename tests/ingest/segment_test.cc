#include "ingest/segment.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::ingest {
namespace {

constexpr LogPartition kOne{Topic::kInteractions, 1};
const auto kNoVisit = [](const SegmentRecord&, std::uint64_t) {};

SegmentHeader header() {
  return {.identity = 0x1122334455667788,
          .sequence = 3,
          .previous_bytes = 4096,
          .time_floor = 1000,
          .interaction_partitions = 2,
          .next = {5, 6, 7}};
}

// A segment of the header and one group of two records, then one of one.
struct Example {
  std::string file = encode(header());
  std::uint64_t first_group = file.size();
  std::uint64_t second_group = 0;
  Example() {
    const auto salt = segment_salt(header());
    const auto group = static_cast<std::uint32_t>(first_group);
    append_record(file, {kOne, 6, 1000, group, false, "ab"}, salt);
    append_record(file, {kCatalogPartition, 7, 1000, group, true, "c"}, salt);
    second_group = file.size();
    append_record(file, {kOne, 7, 1001, static_cast<std::uint32_t>(second_group), true, "d"}, salt);
  }
};

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// What is on disks stays readable: these bytes never change under format 1 (see FORMAT.md).
TEST(Segment, BytesOfFormat1) {
  SegmentHeader first{.identity = 7, .sequence = 1, .interaction_partitions = 1, .next = {0, 0}};
  // clang-format off
  EXPECT_EQ(hex(encode(first)),
            "4d524143454c4f47" "01000000" "4c000000" "0700000000000000" "0100000000000000"
            "0000000000000000" "0000000000000000" "0100" "0000" "00000000"
            "0000000000000000" "0000000000000000" "90b94e91");
  std::string record;
  append_record(record, {kCatalogPartition, 0, 1000, 76, true, "hi"}, segment_salt(first));
  EXPECT_EQ(hex(record),
            "ec1ef3bb" "02000000" "01" "01" "0000" "4c000000" "0000000000000000" "e803000000000000"
            "6869");
  // clang-format on
}

TEST(Segment, HeaderComesBack) {
  const auto back = decode_segment_header(encode(header()));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, header());
  std::string longer = encode(header()) + "records";
  EXPECT_EQ(*decode_segment_header(longer), header());
}

TEST(Segment, EveryDamagedByteOfAHeaderShows) {
  const std::string good = encode(header());
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(decode_segment_header(bad).has_value()) << at;
    EXPECT_FALSE(decode_segment_header(good.substr(0, at)).has_value()) << at;
  }
}

TEST(Segment, ANewerFormatIsNotCalledDamage) {
  std::string newer = encode(header());
  newer[8] = 2;
  EXPECT_EQ(decode_segment_header(newer).error().code, Code::kInvalid);
}

TEST(Segment, ScanReturnsRecordsInOrder) {
  const Example example;
  std::string seen;
  const auto scan =
      scan_segment(example.file, header(), [&](const SegmentRecord& record, std::uint64_t at) {
        seen += std::string(record.bytes) + "@" + std::to_string(at - example.first_group) + " ";
      });
  EXPECT_EQ(seen, "ab@0 c@34 d@67 ");
  EXPECT_EQ(scan.tail, SegmentScan::Tail::kClean);
  EXPECT_EQ(scan.next, (std::vector<Offset>{5, 8, 8}));
  EXPECT_EQ(scan.time, 1001);
  EXPECT_EQ(scan.good_bytes, example.file.size());
}

TEST(Segment, EveryCutLeavesWholeAppends) {
  const Example example;
  for (std::uint64_t length = example.first_group; length < example.file.size(); ++length) {
    const auto scan = scan_segment(example.file.substr(0, length), header(), kNoVisit);
    const auto expected =
        length < example.second_group ? example.first_group : example.second_group;
    EXPECT_EQ(scan.good_bytes, expected) << length;
    EXPECT_NE(scan.tail, SegmentScan::Tail::kCorrupt) << length;
    EXPECT_EQ(scan.tail == SegmentScan::Tail::kClean, length == expected) << length;
  }
}

TEST(Segment, EveryFlippedByteBehindASyncedGroupIsCorruptAndInTheLastIsTorn) {
  const Example example;
  for (std::uint64_t at = example.first_group; at < example.file.size(); ++at) {
    std::string bad = example.file;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const auto scan = scan_segment(bad, header(), kNoVisit);
    if (at < example.second_group) {
      EXPECT_EQ(scan.tail, SegmentScan::Tail::kCorrupt) << at;
      EXPECT_LE(scan.bad_at, at);
    } else {
      EXPECT_EQ(scan.tail, SegmentScan::Tail::kTorn) << at;
      EXPECT_EQ(scan.good_bytes, example.second_group) << at;
    }
  }
}

// A device may keep the end of an unsynced group and lose its beginning.
TEST(Segment, AHoleInTheLastGroupIsTorn) {
  Example example;
  const std::string before = example.file.substr(0, example.first_group);
  const std::string group = example.file.substr(example.first_group, 67);
  const std::string holed = before + std::string(34, '\0') + group.substr(34);
  const auto scan = scan_segment(holed, header(), kNoVisit);
  EXPECT_EQ(scan.tail, SegmentScan::Tail::kTorn);
  EXPECT_EQ(scan.good_bytes, example.first_group);
}

TEST(Segment, AWrongOffsetWithAGoodChecksumIsCorrupt) {
  std::string file = encode(header());
  const auto start = static_cast<std::uint32_t>(file.size());
  append_record(file, {kOne, 9, 1000, start, true, "gap"}, segment_salt(header()));
  EXPECT_EQ(scan_segment(file, header(), kNoVisit).tail, SegmentScan::Tail::kCorrupt);
}

TEST(Segment, RecordsOfAnotherSegmentDoNotPass) {
  const Example example;
  SegmentHeader other = header();
  other.sequence = 4;
  EXPECT_FALSE(parse_record(std::string_view(example.file).substr(example.first_group), other,
                            segment_salt(other), Check::kChecksum));
}

}  // namespace
}  // namespace millrace::ingest
