#include "processors/views/outcomes.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace millrace::processors {
namespace {

constexpr UnixMillis kNow = 1'790'000'000'000;

class OutcomesTest : public ::testing::Test {
 protected:
  OutcomesTest() : outcomes(1, items, metrics) {
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
  const std::vector<Outcomes::Offered> offered = {{0, 3}, {1, 2}, {2, 1}};
  const auto before = outcomes.probabilities("linear", "bob", offered, kNow);
  EXPECT_NEAR(before.front(), 0.1, 1e-9);
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const auto at = kNow + i * Outcomes::kHorizonMs;
    show("ann", at);
    if (random() % 2 == 0) outcomes.acted(0, "ann", 0, at + 1);  // as nothing foretells
  }
  const auto after =
      outcomes.probabilities("linear", "ann", offered, kNow + 500 * Outcomes::kHorizonMs);
  ASSERT_EQ(after.size(), 3u);
  EXPECT_NEAR(after[0], 0.5, 0.1);
  EXPECT_LT(after[2], 0.1);
}

TEST_F(OutcomesTest, WhoActsMuchAndWhatIsTakenTell) {
  UnixMillis at = kNow;
  for (int i = 0; i < 400; ++i) {
    at += 3 * Outcomes::kHorizonMs;
    for (int k = 0; k < 8; ++k) outcomes.acted(0, "busy", 2, at);
    show("busy", at, {1, 1, 1});
    show("idle", at, {1, 1, 1});
    outcomes.acted(0, "busy", 1, at + 1);
  }
  at += 3 * Outcomes::kHorizonMs;
  for (int k = 0; k < 8; ++k) outcomes.acted(0, "busy", 2, at);
  const std::vector<Outcomes::Offered> offered = {{0, 1}, {1, 1}};
  const auto busy = outcomes.probabilities("linear", "busy", offered, at);
  const auto idle = outcomes.probabilities("linear", "idle", offered, at);
  EXPECT_GT(busy[1], 2 * idle[1]) << "the one acts, the other never does";
  EXPECT_GT(busy[1], 2 * busy[0]) << "though it is behind it";
}

}  // namespace
}  // namespace millrace::processors
