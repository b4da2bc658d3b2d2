#include "processors/views/ratings_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace millrace::processors {
namespace {

Rating of(std::uint32_t user, std::int32_t centi, UnixMillis time = 1) {
  return {user, centi, false, time, time, time};
}

TEST(RatingsIndex, AnItemsRatingsAreOrderedByUser) {
  RatingsIndex index(1u << 20);
  for (const std::uint32_t user : {5u, 1u, 9u}) index.put(7, of(user, 300));
  index.put(8, of(2, 100));
  EXPECT_EQ(index.count(7), 3u);
  EXPECT_EQ(index.count(6), 0u);
  const auto page = index.page(7, 1, 5);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].user, 5u);
  EXPECT_EQ(page[1].user, 9u);
  EXPECT_TRUE(index.page(7, 3, 5).empty());
  EXPECT_TRUE(index.page(6, 0, 5).empty());
}

TEST(RatingsIndex, RatingAgainKeepsWhenItWasMade) {
  RatingsIndex index(1u << 20);
  index.put(7, of(1, 300, 10));
  index.put(7, of(1, 500, 20));
  EXPECT_EQ(index.find(7, 1), (Rating{1, 500, false, 10, 20, 20}));
  EXPECT_EQ(index.count(7), 1u);
  index.erase(7, 1);
  EXPECT_EQ(index.find(7, 1), std::nullopt);
  index.put(7, of(1, 100, 30));
  EXPECT_EQ(index.find(7, 1)->created, 30);
}

TEST(RatingsIndex, IsWhatAMapWouldBe) {
  RatingsIndex index(64u << 20);
  std::map<std::uint32_t, std::int32_t> expected;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto user = static_cast<std::uint32_t>(random() % 3'000 + 1);
    if (random() % 3 == 0) {
      index.erase(7, user);
      expected.erase(user);
    } else {
      index.put(7, of(user, i));
      expected[user] = i;
    }
  }
  ASSERT_EQ(index.count(7), expected.size());
  std::size_t at = 0;
  for (const auto& [user, centi] : expected) {
    const auto page = index.page(7, at++, 1);
    ASSERT_EQ(page.size(), 1u);
    EXPECT_EQ(page[0].user, user);
    EXPECT_EQ(page[0].centi, centi);
    EXPECT_EQ(index.find(7, user)->centi, centi);
  }
}

TEST(RatingsIndex, HoldsNoMoreThanItMay) {
  RatingsIndex index(4'096);
  for (std::uint32_t user = 1; user <= 1'000; ++user) index.put(7, of(user, 300));
  EXPECT_LE(index.memory_bytes(), 4'096u + 100);
  EXPECT_GT(index.refused(), 0u);
  EXPECT_EQ(index.count(7) + index.refused(), 1'000u);
  index.clear();
  EXPECT_EQ(index.count(7), 0u);
  EXPECT_EQ(index.memory_bytes(), 0u);
}

}  // namespace
}  // namespace millrace::processors
