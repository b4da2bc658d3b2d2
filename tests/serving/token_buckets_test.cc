#include "serving/http/token_buckets.h"

#include <gtest/gtest.h>

namespace millrace::serving {
namespace {

TEST(TokenBuckets, HoldABurstAndRefillAtTheRate) {
  TokenBuckets buckets(60, 3);
  for (std::uint32_t left : {2u, 1u, 0u}) {
    const auto taken = buckets.take(1, 1'000);
    EXPECT_TRUE(taken.allowed);
    EXPECT_EQ(taken.left, left);
  }
  const auto refused = buckets.take(1, 1'000);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.wait_ms, 1'000);
  EXPECT_EQ(refused.refill_ms, 3'000);
  EXPECT_FALSE(buckets.take(1, 1'999).allowed);
  EXPECT_TRUE(buckets.take(1, 2'000).allowed);
  EXPECT_TRUE(buckets.take(2, 2'000).allowed) << "every key has its own";
}

TEST(TokenBuckets, NeverHoldMoreThanTheBurst) {
  TokenBuckets buckets(60, 2);
  EXPECT_TRUE(buckets.take(1, 0).allowed);
  EXPECT_EQ(buckets.take(1, 1'000'000).left, 1u);
  buckets.give_back(1);
  buckets.give_back(1);
  EXPECT_EQ(buckets.take(1, 1'000'000).left, 1u);
}

TEST(TokenBuckets, AClockThatStepsBackGivesNothing) {
  TokenBuckets buckets(60, 1);
  EXPECT_TRUE(buckets.take(1, 10'000).allowed);
  EXPECT_FALSE(buckets.take(1, 0).allowed);
  EXPECT_FALSE(buckets.take(1, 10'500).allowed);
  EXPECT_TRUE(buckets.take(1, 11'000).allowed);
}

TEST(TokenBuckets, ARateOfZeroAllowsEverything) {
  TokenBuckets buckets(0, 0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(buckets.take(1, 0).allowed);
}

TEST(TokenBuckets, FullBucketsAreForgotten) {
  TokenBuckets buckets(60'000, 1);
  for (int i = 0; i < 200'000; ++i) buckets.take(static_cast<std::uint64_t>(i), i);
  EXPECT_LT(buckets.size(), 50'000u);
}

}  // namespace
}  // namespace millrace::serving
