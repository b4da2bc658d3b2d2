#include "processors/views/outcomes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::processors {
namespace {

constexpr UnixMillis kNow = 1'790'000'000'000;

class OutcomesTest : public ::testing::Test {
 protected:
  OutcomesTest() : outcomes(2, items, metrics) {
    for (const char* id : {"a", "b", "c"}) items.intern(id);
  }
  void show(const std::string& user, UnixMillis at, std::vector<float> scores = {3, 2, 1}) {
    outcomes.shown(0,
                   {"r",
                    UserId(user),
                    "linear",
                    0,
                    at,
                    {ItemId("a"), ItemId("b"), ItemId("c")},
                    std::move(scores)},
                   at);
  }
  double known() { return metrics.counter("recommendation_items_total", "").value(); }
  double acted() { return metrics.counter("recommendation_items_acted_total", "").value(); }

  state::NameTable items;
  Metrics metrics;
  Outcomes outcomes;
};

TEST_F(OutcomesTest, AnAnswerIsLearnedFromWhenItsTimeIsOver) {
  show("ann", kNow);
  outcomes.acted(0, "ann", 1, kNow + 1);
  outcomes.acted(0, "ann", 1, kNow + 2);
  outcomes.acted(0, "bob", 0, kNow + 3);
  EXPECT_EQ(known(), 0);
  outcomes.acted(0, "bob", 0, kNow + Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 3);
  EXPECT_EQ(acted(), 1);
  outcomes.acted(0, "ann", 0, kNow + Outcomes::kHorizonMs + 1);
  EXPECT_EQ(acted(), 1) << "too late";
}

TEST_F(OutcomesTest, WhatIsForgottenTeachesNothing) {
  show("ann", kNow);
  show("bob", kNow);
  outcomes.forget(0, "ann");
  outcomes.acted(0, "cid", 0, kNow + Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 3);
}

TEST_F(OutcomesTest, AnswersWithoutScoresTeachNothing) {
  show("ann", kNow, {});
  outcomes.acted(0, "cid", 0, kNow + Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 0);
}

TEST_F(OutcomesTest, NoMoreAnswersAreWaitedForThanMayBe) {
  for (std::size_t i = 0; i <= Outcomes::kMostOpen; ++i) show(std::to_string(i), kNow);
  outcomes.acted(0, "cid", 0, kNow + Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 3.0 * Outcomes::kMostOpen);
}

TEST_F(OutcomesTest, NorOfOnePerson) {
  for (std::size_t i = 0; i <= Outcomes::kMostOfPerson; ++i) show("ann", kNow);
  outcomes.acted(0, "cid", 0, kNow + Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 3.0 * Outcomes::kMostOfPerson);
  show("ann", kNow + Outcomes::kHorizonMs);
  outcomes.acted(0, "cid", 0, kNow + 2 * Outcomes::kHorizonMs);
  EXPECT_EQ(known(), 3.0 * Outcomes::kMostOfPerson + 3) << "there is room again";
}

TEST_F(OutcomesTest, ProbabilitiesFollowWhatHappened) {
  const std::vector<double> scores = {3, 2, 1};
  const auto before = outcomes.probabilities("linear", scores);
  EXPECT_NEAR(before.front(), 0.1, 1e-9);
  for (int i = 0; i < 500; ++i) {
    const auto at = kNow + i * Outcomes::kHorizonMs;
    show("ann", at);
    if (i % 2 == 0) outcomes.acted(0, "ann", 0, at + 1);
  }
  const auto after = outcomes.probabilities("linear", scores);
  ASSERT_EQ(after.size(), 3u);
  EXPECT_NEAR(after[0], 0.5, 0.1);
  EXPECT_LT(after[2], 0.1);
}

}  // namespace
}  // namespace millrace::processors
