#include "processors/publisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "tests/support/eventually.h"

namespace millrace::processors {
namespace {

constexpr LogPartition kFirst{Topic::kInteractions, 0};
constexpr LogPartition kSecond{Topic::kInteractions, 1};

Position at(LogPartition partition, Offset offset) {
  Position position;
  position.include(partition, offset);
  return position;
}

TEST(Publisher, ListsThenThePositionThenThoseWhoWait) {
  Metrics metrics;
  std::promise<void> lists_may_go_on;
  std::atomic<bool> updating{false};
  Publisher publisher(
      2,
      [&](const std::vector<state::ItemIndex>& touched) {
        EXPECT_EQ(touched, (std::vector<state::ItemIndex>{2, 4}));
        updating = true;
        lists_may_go_on.get_future().wait();
      },
      metrics);
  std::atomic<bool> woken{false};
  publisher.when_reached(at(kFirst, 6), 60'000, [&woken](bool reached) { woken = reached; });
  publisher.offer(kFirst, 7, {4, 2, 4}, false);
  ASSERT_TRUE(eventually([&] { return updating.load(); }));
  EXPECT_FALSE(publisher.reached(at(kFirst, 0)));
  EXPECT_FALSE(woken);
  lists_may_go_on.set_value();
  EXPECT_TRUE(eventually([&] { return woken.load(); }));
  EXPECT_TRUE(publisher.reached(at(kFirst, 6)));
  EXPECT_FALSE(publisher.reached(at(kFirst, 7)));
  EXPECT_EQ(publisher.position(), at(kFirst, 6));
}

TEST(Publisher, OnlyWhatWasOfferedIsReached) {
  Metrics metrics;
  Publisher publisher(
      2, [](const auto&) {}, metrics);
  publisher.offer(kFirst, 3, {}, false);
  EXPECT_TRUE(publisher.wait_reached(at(kFirst, 2), 10'000));
  auto both = at(kFirst, 2);
  both.include(kSecond, 0);
  EXPECT_FALSE(publisher.wait_reached(both, 20));
  publisher.offer(kSecond, 1, {}, true);  // far behind: later, but not never
  EXPECT_TRUE(publisher.wait_reached(both, 10'000));
}

// Asleep with nothing to do, the publisher gets up for a deadline that comes before the time it had
// meant to.
TEST(Publisher, AWaitEndsInTimeWhenNothingHappens) {
  Metrics metrics;
  Publisher publisher(
      1, [](const auto&) {}, metrics);
  publisher.offer(kFirst, 1, {}, false);
  ASSERT_TRUE(publisher.wait_reached(at(kFirst, 0), 10'000));
  std::int64_t least_us = INT64_MAX;
  for (int i = 0; i < 5; ++i) {
    const auto start = steady_micros();
    EXPECT_FALSE(publisher.wait_reached(at(kFirst, 1), 10));
    const auto took = steady_micros() - start;
    EXPECT_GE(took, 10'000);
    least_us = std::min(least_us, took);
  }
  EXPECT_LT(least_us, 500'000);
}

TEST(Publisher, EveryOneOfManyOffersWakesItsWaiter) {
  Metrics metrics;
  Publisher publisher(
      2, [](const auto&) {}, metrics);
  std::jthread other([&] {
    for (Offset i = 0; i < 300; ++i) publisher.offer(kSecond, i + 1, {}, false);
  });
  for (Offset i = 0; i < 300; ++i) {
    publisher.offer(kFirst, i + 1, {}, false);
    ASSERT_TRUE(publisher.wait_reached(at(kFirst, i), 10'000)) << i;
  }
}

TEST(Publisher, WhoeverStillWaitsWhenItStopsHearsSo) {
  Metrics metrics;
  std::promise<bool> heard;
  {
    Publisher publisher(
        1, [](const auto&) {}, metrics);
    publisher.when_reached(at(kFirst, 0), 60'000, [&](bool reached) { heard.set_value(reached); });
  }
  auto answer = heard.get_future();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_FALSE(answer.get());
}

}  // namespace
}  // namespace millrace::processors
