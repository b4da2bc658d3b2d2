#include "state/trend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace millrace::state {
namespace {

constexpr std::int64_t kHour = 3600 * 1000;

TEST(Trend, IncrementFollowsTheFormulaToAMillionth) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t half_life = std::int64_t{1} << (random() % 40);
    const auto time = static_cast<UnixMillis>(random() % 2'000'000'000'000);
    const auto weight = static_cast<std::int32_t>(random() % 65537) - 32768;
    const std::int32_t epoch = trend_epoch(time, half_life);
    if (epoch == INT32_MAX) continue;
    const long double since = static_cast<long double>(time - epoch_start(epoch, half_life)) /
                              static_cast<long double>(half_life);
    ASSERT_GE(since, 0);
    ASSERT_LT(since, kEpochHalfLives);
    const long double expected = weight * std::exp2(20 + since);
    const auto actual = static_cast<long double>(trend_increment(weight, time, half_life));
    ASSERT_LE(std::abs(actual - expected), std::abs(expected) * 1e-6L + 0.5L)
        << weight << " at " << time << " half-life " << half_life;
  }
}

// Stored sums rest on these numbers: they must never change.
TEST(Trend, GoldenIncrements) {
  struct Golden {
    std::int32_t weight;
    UnixMillis time;
    std::int64_t half_life;
    std::int64_t increment;
  };
  const Golden golden[] = {
      {1, 0, 6 * kHour, 1 << 20},
      {1, 3 * kHour, 6 * kHour, 1482910},
      {1, 6 * kHour, 6 * kHour, 2 << 20},
      {-2, 95 * kHour, 6 * kHour, -122444187464},
  };
  for (const auto& g : golden) {
    EXPECT_EQ(trend_increment(g.weight, g.time, g.half_life), g.increment) << g.time;
  }
}

TEST(Trend, IncrementsAreMonotoneAndOdd) {
  std::int64_t before = 0;
  for (UnixMillis time = 0; time < 96 * kHour; time += 60'000) {
    const std::int64_t now = trend_increment(3, time, 6 * kHour);
    ASSERT_GE(now, before);
    ASSERT_EQ(trend_increment(-3, time, 6 * kHour), -now);
    before = now;
  }
}

TEST(Trend, ValueHalvesEveryHalfLife) {
  const std::int64_t half_life = 6 * kHour;
  const UnixMillis time = 1'700'000'000'000;
  TrendAccumulator<Wide> sum;
  sum.advance_to(trend_epoch(time, half_life));
  sum.newer += trend_increment(100, time, half_life);
  const TrendReading read = reading(sum);
  EXPECT_NEAR(read.value(time, half_life), 100, 1e-4);
  EXPECT_NEAR(read.value(time + half_life, half_life), 50, 1e-4);
  EXPECT_NEAR(read.value(time + 10 * half_life, half_life), 100.0 / 1024, 1e-6);
}

TEST(Trend, ReadingsOfDifferentEpochsAdd) {
  const std::int64_t half_life = kHour;
  const UnixMillis early = 1'700'000'000'000;
  const UnixMillis late = early + 20 * kHour;  // another epoch
  TrendAccumulator<Wide> a, b;
  a.advance_to(trend_epoch(early, half_life));
  a.newer += trend_increment(1000, early, half_life);
  b.advance_to(trend_epoch(late, half_life));
  b.newer += trend_increment(10, late, half_life);
  TrendReading one = reading(a), other = reading(b);
  const double expected = one.value(late, half_life) + other.value(late, half_life);
  TrendReading sum = one;
  sum.add(other);
  EXPECT_NEAR(sum.value(late, half_life), expected, expected * 1e-9);
  other.add(one);
  EXPECT_NEAR(other.value(late, half_life), expected, expected * 1e-9);
}

TEST(Trend, RankKeyOrdersByValueWhateverTheEpoch) {
  const std::int64_t half_life = kHour;
  const UnixMillis now = 1'700'000'000'000;
  std::mt19937_64 random(2);
  TrendReading last;
  for (int i = 0; i < 1000; ++i) {
    const UnixMillis time = now - static_cast<UnixMillis>(random() % (40 * kHour));
    TrendAccumulator<Wide> sum;
    sum.advance_to(trend_epoch(time, half_life));
    sum.newer += trend_increment(static_cast<std::int32_t>(random() % 30000) + 1, time, half_life);
    const TrendReading next = reading(sum);
    if (i > 0) {
      EXPECT_EQ(next.rank_key() < last.rank_key(),
                next.value(now, half_life) < last.value(now, half_life));
    }
    last = next;
  }
  EXPECT_EQ(TrendReading{}.rank_key(), -INFINITY);
}

TEST(Trend, AdvancingForgetsAllButTwoEpochs) {
  TrendAccumulator<std::int64_t> share;
  share.advance_to(5);
  share.newer = 7;
  share.advance_to(6);
  EXPECT_EQ(share.at(5), 7);
  share.newer = 8;
  share.advance_to(4);  // earlier: nothing happens
  EXPECT_EQ(share.epoch, 6);
  share.advance_to(8);
  EXPECT_EQ(share.at(6), 0);
  EXPECT_EQ(share.at(7), 0);
}

TEST(Trend, EveryHalfLifeIsSafe) {
  for (const std::int64_t half_life :
       {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
    const std::int32_t epoch = trend_epoch(1'700'000'000'000, half_life);
    EXPECT_GE(epoch_start(epoch, half_life), 0);
    EXPECT_GT(trend_increment(32767, 1'700'000'000'000, half_life), 0);
  }
  EXPECT_EQ(trend_increment(1, -5, kHour), 1 << 20);
}

}  // namespace
}  // namespace millrace::state
