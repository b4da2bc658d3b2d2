#include "app/confidence.h"

#include <gtest/gtest.h>

#include <random>

namespace millrace::app {
namespace {

constexpr int kItems = 40'000;

// Items that are acted on with known probabilities; `say` tells what is said of them.
template <class Say>
Confidence measured(Say&& say) {
  std::mt19937 dice(11);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Forecast> forecasts;
  for (int i = 0; i < kItems; ++i) {
    const double p = uniform(dice) / 2;
    forecasts.push_back({say(p), uniform(dice) < p});
  }
  return measure_confidence(forecasts);
}

TEST(Confidences, TrueProbabilitiesAreCalibrated) {
  const auto truth = measured([](double p) { return p; });
  EXPECT_EQ(truth.items, static_cast<std::size_t>(kItems));
  EXPECT_NEAR(truth.rate, 0.25, 0.01);
  EXPECT_LT(truth.ece, 0.012);
  EXPECT_GT(truth.brier_skill, 0.08);
  EXPECT_GT(truth.auc, 0.65);
  EXPECT_EQ(truth.bins.size(), kConfidenceBins / 2);
}

TEST(Confidences, TooSureIsNotCalibratedThoughItTellsApart) {
  const auto sure = measured([](double p) { return 2 * p; });
  EXPECT_NEAR(sure.ece, 0.25, 0.02);
  EXPECT_LT(sure.brier_skill, 0);
  EXPECT_NEAR(sure.auc, measured([](double p) { return p; }).auc, 1e-12);
}

TEST(Confidences, AConstantHasNoSkill) {
  const auto constant = measured([](double) { return 0.25; });
  EXPECT_LT(constant.ece, 0.01);
  EXPECT_NEAR(constant.brier_skill, 0, 0.001);
  EXPECT_DOUBLE_EQ(constant.auc, 0.5);
}

TEST(Confidences, NothingIsNoNews) {
  const auto none = measure_confidence({});
  EXPECT_EQ(none.items, 0u);
  EXPECT_EQ(none.ece, 0);
  EXPECT_EQ(none.auc, 0.5);
}

TEST(Confidences, WhatIsActedOnInTimeCounts) {
  Forecasts forecasts(1'000);
  const std::uint32_t first[] = {5, 6, 7};
  const double said[] = {0.3, 0.2, 0.1};
  forecasts.shown(1, 100, first, said);
  forecasts.shown(2, 100, first, said);
  forecasts.acted(1, 6, 100);    // at once
  forecasts.acted(1, 7, 1'100);  // too late
  forecasts.acted(1, 9, 200);    // was not shown
  std::vector<bool> acted;
  for (const auto& one : forecasts.all()) acted.push_back(one.acted);
  EXPECT_EQ(acted, (std::vector<bool>{false, true, false, false, false, false}));
  EXPECT_NE(reliability_svg(measure_confidence(forecasts.all()), "t").find("</svg>"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace::app
