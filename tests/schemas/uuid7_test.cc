#include "schemas/uuid7.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <thread>
#include <vector>

namespace millrace {
namespace {

TEST(Uuid7, HasTheFormOfVersion7) {
  const ManualClock clock(0x0190'1234'5678LL);
  const std::string id = Uuid7Minter(clock).mint();
  EXPECT_TRUE(
      std::regex_match(id, std::regex("01901234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << id;
}

TEST(Uuid7, RisesAlsoWhenTheClockStepsBack) {
  ManualClock clock(1'700'000'000'000);
  Uuid7Minter minter(clock);
  std::string last = minter.mint();
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.advance(-60'000);
    std::string next = minter.mint();
    ASSERT_LT(last, next);
    last = std::move(next);
  }
}

TEST(Uuid7, ThreadsNeverShareOne) {
  const ManualClock clock(1'700'000'000'000);
  Uuid7Minter minter(clock);
  std::vector<std::vector<std::string>> ids(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : ids) {
      threads.emplace_back([&minter, &mine] {
        for (int i = 0; i < 2'000; ++i) mine.push_back(minter.mint());
      });
    }
  }
  std::set<std::string> all;
  for (const auto& mine : ids) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 8'000U);
}

}  // namespace
}  // namespace millrace
