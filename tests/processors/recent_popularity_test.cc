#include "processors/views/recent_popularity.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/test_node.h"

namespace millrace::processors {
namespace {

TEST(RecentPopularity, CountsTheLastShareOfEachPartition) {
  RecentPopularity recent(2);
  EXPECT_EQ(recent.share(), 1);
  EXPECT_EQ(recent.count(7), 0u);
  constexpr Offset kEnd = 20'000;
  for (Offset offset = 0; offset < kEnd; ++offset) recent.took(0, offset, "ann", offset < 17'000);
  EXPECT_EQ(recent.count(0), 3'000u);  // offsets from 17,000 on
  EXPECT_EQ(recent.count(1), 0u);
  EXPECT_NEAR(recent.share(), RecentPopularity::kShare, 1e-9);
  // Another partition's beginning: all of it.
  for (Offset offset = 0; offset < 500; ++offset) recent.took(1, offset, "bob", 1);
  EXPECT_EQ(recent.count(0), 3'000u);
  EXPECT_EQ(recent.count(1), 500u);
  EXPECT_NEAR(recent.share(), 3'500 / 20'500.0, 1e-9);
}

TEST(RecentPopularity, HoldsNoMoreThanItsMost) {
  RecentPopularity recent(1);
  const Offset begin = 10 * RecentPopularity::kMost;
  for (Offset i = 0; i < RecentPopularity::kMost + 50; ++i) recent.took(0, begin + i, "ann", 3);
  EXPECT_EQ(recent.count(3), RecentPopularity::kMost);
}

TEST(RecentPopularity, ForgetsAPerson) {
  RecentPopularity recent(1);
  for (Offset offset = 0; offset < 10; ++offset) {
    recent.took(0, offset, offset % 2 == 0 ? "ann" : "bob", 5);
  }
  recent.forget(0, "ann");
  EXPECT_EQ(recent.count(5), 5u);
  for (Offset offset = 2'000; offset < 2'010; ++offset) recent.took(0, offset, "cid", 6);
  EXPECT_EQ(recent.count(5), 0u) << "what is left of bob has grown old";
  EXPECT_EQ(recent.count(6), 10u);
}

// Through the engine: what a restart reads from the log's tail is what was counted before.
TEST(RecentPopularity, IsTheSameAfterARestart) {
  TestNode node;
  for (int i = 0; i < 5; ++i) node.put("movie:" + std::to_string(i));
  for (int u = 0; u < 12; ++u) {
    const auto user = "u" + std::to_string(u);
    node.event("rate", user, "movie:" + std::to_string(u % 3),
               u % 2 == 0 ? "\"value\":4" : "\"value\":3");
    node.event("like", user, "movie:3");
    node.event("dislike", user, "movie:4");
  }
  ASSERT_EQ(node.call("DELETE", "/v1/users/u0").status() / 100, 2);
  const auto count = [&](const std::string& id) {
    return node.engine().read("u1")->recent->count(*node.engine().items().find(id));
  };
  for (const bool again : {false, true}) {
    if (again) node.restart();
    EXPECT_EQ(count("movie:0"), 1u) << "u6; u0 is gone, u3 and u9 did not take to it";
    EXPECT_EQ(count("movie:1"), 2u);
    EXPECT_EQ(count("movie:2"), 2u);
    EXPECT_EQ(count("movie:3"), 11u);
    EXPECT_EQ(count("movie:4"), 0u);
  }
}

}  // namespace
}  // namespace millrace::processors
