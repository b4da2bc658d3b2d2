#include "processors/views/recent_people.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::processors {
namespace {

constexpr UnixMillis kNow = 1'790'000'000'000;

TEST(RecentPeople, CountsEachOnceWithinTheWindow) {
  RecentPeople people(2);
  EXPECT_EQ(people.count(kNow), 0u);
  people.seen(0, "ann", kNow - RecentPeople::kWindowMs);
  people.seen(0, "bob", kNow - RecentPeople::kWindowMs + 1);
  people.seen(1, "cid", kNow);
  people.seen(1, "cid", kNow - 5);
  EXPECT_EQ(people.count(kNow), 2u);
  people.seen(0, "ann", kNow);
  EXPECT_EQ(people.count(kNow), 3u);
  people.forget(1, "cid");
  EXPECT_EQ(people.count(kNow), 2u);
}

TEST(RecentPeople, IsExactUpToItsRoomAndEstimatesBeyond) {
  RecentPeople people(1);
  for (std::size_t i = 0; i < RecentPeople::kMost; ++i) people.seen(0, std::to_string(i), kNow);
  EXPECT_EQ(people.count(kNow), RecentPeople::kMost);
  for (std::size_t i = RecentPeople::kMost; i < 500'000; ++i)
    people.seen(0, std::to_string(i), kNow);
  EXPECT_NEAR(static_cast<double>(people.count(kNow)), 500'000, 10'000);
  for (int i = 0; i < 500'000; ++i)
    people.seen(0, "later " + std::to_string(i), kNow + RecentPeople::kWindowMs);
  EXPECT_NEAR(static_cast<double>(people.count(kNow + RecentPeople::kWindowMs)), 500'000, 10'000);
}

}  // namespace
}  // namespace millrace::processors
