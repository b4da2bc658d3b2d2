#include "processors/prequential/blend_learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "processors/prequential/blend_record.h"
#include "processors/prequential/ranker_score.h"

namespace millrace::processors {
namespace {

constexpr std::uint8_t kLinear = 0, kCollaborative = 1, kSession = 2;

BlendWeights::Row chosen(Segment segment, Moment moment) {
  return BlendWeights().row(segment, moment);
}
double sum_of(const BlendWeights::Row& row) {
  double sum = 0;
  for (const auto& part : kBlendParts) sum += row.*part.weight;
  return sum;
}

// Predictions of people of one segment who go on; `right` names the part that puts what they take
// to first, the others put it anywhere.
class Learning : public ::testing::Test {
 protected:
  void learn(std::uint8_t right, int times, Segment segment = Segment::kLight) {
    for (int i = 0; i < times; ++i) {
      BlendShares shares{segment, Moment::kHere, {}};
      const auto took_to = static_cast<state::ItemIndex>(dice_() % 20);
      for (const std::uint8_t part : {kLinear, kCollaborative, kSession}) {
        for (state::ItemIndex item = 0; item < 20; ++item) {
          const double value = static_cast<double>(dice_() % 90 + 1) / 100;
          shares.shares.push_back({item, part, part == right && item == took_to ? 1.0 : value});
        }
      }
      learner_.learn(shares, took_to);
    }
  }
  BlendWeights::Row now(Segment segment = Segment::kLight) {
    return learner_.weights().row(segment, Moment::kHere);
  }

  std::mt19937 dice_{7};
  BlendLearner learner_;
};

TEST_F(Learning, BeginsWithTheChosenWeights) {
  EXPECT_LT(largest_change(learner_.weights(), BlendWeights()), 1e-12);
  learn(kSession, BlendLearner::kFewest - 1);
  EXPECT_LT(largest_change(learner_.weights(), BlendWeights()), 1e-12) << "too little to go by";
  learn(kSession, 1);
  EXPECT_GT(largest_change(learner_.weights(), BlendWeights()), 0.01);
}

TEST_F(Learning, FindsThePartThatIsRight) {
  const auto before = chosen(Segment::kLight, Moment::kHere);
  learn(kSession, 2'000);
  EXPECT_GT(now().session, 2 * before.session);
  EXPECT_LT(now().linear, before.linear / 2);
  learn(kCollaborative, 6'000);  // the world changes
  EXPECT_GT(now().collaborative, now().session);
}

TEST_F(Learning, KeepsTheSumAndTheBounds) {
  const auto before = chosen(Segment::kLight, Moment::kHere);
  learn(kCollaborative, 5'000);
  EXPECT_NEAR(sum_of(now()), sum_of(before), 1e-9);
  for (const auto& part : kBlendParts) {
    EXPECT_GT(now().*part.weight, 0) << part.name << " may be learned again";
    EXPECT_LE(now().*part.weight, sum_of(before)) << part.name;
  }
}

TEST_F(Learning, EachSegmentHasItsOwn) {
  learn(kSession, 1'000, Segment::kHeavy);
  EXPECT_NEAR(now(Segment::kLight).session, chosen(Segment::kLight, Moment::kHere).session, 1e-12);
  EXPECT_GT(now(Segment::kHeavy).session, chosen(Segment::kHeavy, Moment::kHere).session);
  EXPECT_EQ(learner_.predictions(Segment::kHeavy, Moment::kHere), 1'000u);
  EXPECT_EQ(learner_.predictions(Segment::kLight, Moment::kHere), 0u);
}

TEST_F(Learning, WhatNoPartNamedTeachesNothing) {
  learn(kSession, 200);
  const auto before = learner_.weights();
  learner_.learn({Segment::kLight, Moment::kHere, {{3, kLinear, 1.0}}}, 77);
  EXPECT_LT(largest_change(before, learner_.weights()), 1e-12);
}

TEST_F(Learning, ARecordHoldsIt) {
  learn(kSession, 500);
  const auto blend = blend_of(learner_);
  EXPECT_LT(largest_change(weights_of(blend), learner_.weights()), 1e-5);
  const auto again = learner_of(blend);
  EXPECT_LT(largest_change(again.weights(), learner_.weights()), 1e-4);
  EXPECT_EQ(again.predictions(Segment::kLight, Moment::kHere), 500u);
  auto strange = blend;
  strange.rows[0].weights.push_back({"of tomorrow", 5'000'000});
  strange.rows.push_back({9, 9, 7, {{"linear", 1}}});
  EXPECT_LT(largest_change(weights_of(strange), weights_of(blend)), 1e-12);
  EXPECT_LT(largest_change(weights_of({}), BlendWeights()), 1e-12);
}

TEST(RankerScores, CountFirstTenAlone) {
  RankerScore score;
  EXPECT_EQ(score.hit_rate(), 0);
  score.add(0);
  score.add(3);
  score.add(10);
  score.add(std::nullopt);
  EXPECT_EQ(score.predictions(), 4u);
  EXPECT_DOUBLE_EQ(score.hit_rate(), 0.5);
  EXPECT_DOUBLE_EQ(score.mrr(), 1.25 / 4);
  EXPECT_NEAR(score.recent_hit_rate(), 0.5, 0.01);
  for (int i = 0; i < 10'000; ++i) score.add(0);
  EXPECT_GT(score.recent_hit_rate(), 0.999) << "what was long ago counts no more";
}

}  // namespace
}  // namespace millrace::processors
