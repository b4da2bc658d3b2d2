#include "schemas/partitioner.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

// The vectors of Kafka's own UtilsTest.testMurmur2.
TEST(Murmur2, AgreesWithKafka) {
  const auto hash = [](std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); };
  EXPECT_EQ(hash("21"), -973932308);
  EXPECT_EQ(hash("foobar"), -790332482);
  EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(hash("abc"), 479470107);
}

TEST(PartitionOf, CutsTheSignBitAsKafkaDoes) {
  EXPECT_EQ(partition_of("21", 16), (-973932308 & 0x7fffffff) % 16);
  EXPECT_EQ(partition_of("foobar", 7), (-790332482 & 0x7fffffff) % 7);
}

TEST(PartitionOf, SpreadsUsers) {
  std::array<int, 4> users{};
  for (int i = 0; i < 4000; ++i) ++users.at(partition_of("u" + std::to_string(i), 4));
  for (const int count : users) EXPECT_GT(count, 800);
}

}  // namespace
}  // namespace millrace
