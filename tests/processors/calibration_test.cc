#include "processors/views/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace millrace::processors {
namespace {

// What happens is drawn from a map that the calibration does not know.
struct World {
  std::mt19937_64 random{7};
  double slope = 1.5;

  ShownItem item() {
    std::uniform_real_distribution<double> score(0, 1);
    return {static_cast<std::uint32_t>(random() % 10), std::exp(4 * score(random) - 2)};
  }
  double truth(const ShownItem& item) const {
    const double quantile = (std::log(item.score) + 2) / 4;
    const double z = -2.5 - 0.8 * std::log(std::log2(2.0 + item.rank)) + slope * quantile;
    return 1 / (1 + std::exp(-z));
  }
  bool acts(const ShownItem& item) {
    return std::uniform_real_distribution<double>(0, 1)(random) < truth(item);
  }
};

TEST(Calibration, BeginsWithItsPrior) {
  const Calibration fresh;
  EXPECT_NEAR(fresh.probability("any", {0, 1}), 0.1, 1e-9);
  EXPECT_LT(fresh.probability("any", {9, 1}), fresh.probability("any", {1, 1}));
}

TEST(Calibration, RecoversAMapThatItDoesNotKnow) {
  World world;
  Calibration calibration;
  for (int i = 0; i < 100'000; ++i) {
    const auto item = world.item();
    calibration.learn("linear", item, world.acts(item));
  }
  EXPECT_EQ(calibration.outcomes(), 100'000u);
  for (int i = 0; i < 1'000; ++i) {
    const auto item = world.item();
    EXPECT_NEAR(calibration.probability("linear", item), world.truth(item), 0.05)
        << item.rank << " " << item.score;
  }
}

// Each outcome is predicted before it is learned from.
TEST(Calibration, IsCalibratedFromTheStartOn) {
  World world;
  Calibration calibration;
  std::array<double, 10> predicted{}, happened{}, count{};
  double brier = 0, reference = 0, acted = 0;
  std::vector<std::pair<double, bool>> all;
  for (int i = 0; i < 50'000; ++i) {
    const auto item = world.item();
    const double p = calibration.probability("linear", item);
    const bool y = world.acts(item);
    calibration.learn("linear", item, y);
    const auto bin = std::min<std::size_t>(9, static_cast<std::size_t>(p * 10));
    predicted[bin] += p, happened[bin] += y ? 1 : 0, count[bin] += 1;
    brier += (p - y) * (p - y);
    acted += y ? 1 : 0;
    all.emplace_back(p, y);
  }
  const double n = 50'000, rate = acted / n;
  reference = rate * (1 - rate) * n;
  double error = 0;
  for (std::size_t bin = 0; bin < 10; ++bin) error += std::abs(predicted[bin] - happened[bin]) / n;
  EXPECT_LT(error, 0.02);
  EXPECT_GT(1 - brier / reference, 0) << "better than saying the rate";
  std::sort(all.begin(), all.end());
  double below = 0, pairs = 0;
  for (const auto& [p, y] : all) {
    if (y) pairs += below;
    if (!y) below += 1;
  }
  EXPECT_GT(pairs / (acted * (n - acted)), 0.6);
}

TEST(Calibration, IsMonotoneAndWithinBoundsWhateverIsLearned) {
  std::mt19937_64 random(3);
  Calibration calibration;
  // The lower and the further down, the more often: against what may be learned.
  for (int i = 0; i < 20'000; ++i) {
    const ShownItem item{static_cast<std::uint32_t>(random() % 10),
                         static_cast<double>(random() % 1'000) - 500};
    calibration.learn("odd", item, item.rank > 5 && item.score < 0);
  }
  double last = 0;
  for (double score = -1e9; score < 1e9; score = score < -1  ? score / 2
                                                 : score < 1 ? score + 0.5
                                                             : score * 2) {
    const double p = calibration.probability("odd", {3, score});
    EXPECT_GE(p, last);
    EXPECT_GT(p, 0);
    EXPECT_LT(p, 1);
    last = p;
  }
  for (std::uint32_t rank = 1; rank < 100; ++rank) {
    EXPECT_LE(calibration.probability("odd", {rank, 1}),
              calibration.probability("odd", {rank - 1, 1}));
  }
}

// Who did much of late acts four times as often in odds, and an item that others take is taken.
TEST(Calibration, LearnsWhatThePersonDoesAndWhatOthersTook) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  Calibration calibration;
  const auto truth = [](const ShownItem& item) {
    return 1 / (1 + std::exp(2 - std::log(2.0) * item.lately - item.taken));
  };
  const auto draw = [&] {
    return ShownItem{0, 1, 0, 3 * uniform(random), 2 * uniform(random), 0, 2 * uniform(random) - 1};
  };
  for (int i = 0; i < 50'000; ++i) {
    const auto item = draw();
    calibration.learn("linear", item, uniform(random) < truth(item));
  }
  for (int i = 0; i < 500; ++i) {
    const auto item = draw();
    EXPECT_NEAR(calibration.probability("linear", item), truth(item), 0.05);
  }
}

// What has not varied for long is neither forgotten nor made much of when it does.
TEST(Calibration, StaysSteadyWhereNothingVaries) {
  std::mt19937_64 random(5);
  Calibration calibration;
  for (int i = 0; i < 400'000; ++i) calibration.learn("linear", {0, 1}, random() % 5 == 0);
  EXPECT_NEAR(calibration.probability("linear", {0, 1}), 0.2, 0.02);
  for (int i = 0; i < 10; ++i) calibration.learn("linear", {0, 1, 2, 3, 1, 2, 1}, true);
  EXPECT_NEAR(calibration.probability("linear", {0, 1}), 0.2, 0.05);
}

TEST(Calibration, ANewAlgorithmBeginsWhereAllAre) {
  Calibration calibration;
  for (int i = 0; i < 10'000; ++i) calibration.learn("old", {0, 1}, i % 2 == 0);
  EXPECT_NEAR(calibration.probability("old", {0, 1}), 0.5, 0.05);
  EXPECT_NEAR(calibration.probability("new", {0, 1}), 0.5, 0.05);
  for (int i = 0; i < 10'000; ++i) calibration.learn("new", {0, 1}, false);
  EXPECT_LT(calibration.probability("new", {0, 1}), 0.05);
  EXPECT_NEAR(calibration.probability("old", {0, 1}), 0.5, 0.05);
}

TEST(ScoreScale, QuantilesFollowWhatWasSeen) {
  ScoreScale scale;
  EXPECT_EQ(scale.quantile(1), 0.5);
  for (int i = 1; i <= 1'000; ++i) scale.add(i);
  EXPECT_LT(scale.quantile(0), 0.01);
  EXPECT_NEAR(scale.quantile(500), 0.5, 0.05);
  EXPECT_GT(scale.quantile(1e12), 0.99);
  EXPECT_EQ(scale.quantile(-1), 0);
  EXPECT_EQ(scale.quantile(std::nan("")), scale.quantile(0));
}

}  // namespace
}  // namespace millrace::processors
