// What experiments conclude: formulas against figures worked out elsewhere, and simulated
// experiments whose truth is known.
#include "processors/experiments/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "processors/experiments/arm.h"
#include "processors/experiments/report.h"
#include "tests/support/experiment_world.h"

namespace millrace::processors {
namespace {

state::ArmSums people(std::uint64_t n, std::uint64_t converters) {
  state::ArmSums sums;
  sums.people = n;
  sums.converters = converters;
  return sums;
}

TEST(ExperimentStatistics, ARateHasItsScoreInterval) {
  // Newcombe 1998, table I: 81 of 263, by the score method 0.2553 to 0.3662.
  const auto rate = estimate(SuccessMetric::kConversionRate, people(263, 81));
  EXPECT_NEAR(rate.value, 0.3080, 5e-5);
  EXPECT_NEAR(rate.interval.low, 0.2553, 5e-5);
  EXPECT_NEAR(rate.interval.high, 0.3662, 5e-5);
  // 0 of 20: 0.0000 to 0.1611.
  const auto none = estimate(SuccessMetric::kConversionRate, people(20, 0));
  EXPECT_EQ(none.interval.low, 0);
  EXPECT_NEAR(none.interval.high, 0.1611, 5e-5);
  const auto nobody = estimate(SuccessMetric::kConversionRate, {});
  EXPECT_EQ(nobody.interval.high, 1);
}

TEST(ExperimentStatistics, ADifferenceOfRatesHasNewcombesInterval) {
  // Newcombe 1998 (method 10): 56/70 - 48/80 is 0.0524 to 0.3339.
  const auto found =
      difference(SuccessMetric::kConversionRate, people(80, 48), people(70, 56), 100);
  EXPECT_NEAR(found.value, 0.2, 1e-9);
  EXPECT_NEAR(found.fixed.low, 0.0524, 5e-5);
  EXPECT_NEAR(found.fixed.high, 0.3339, 5e-5);
  EXPECT_NEAR(found.p, 0.0081, 5e-4);  // two proportions, pooled: z = 2.6483
}

TEST(ExperimentStatistics, MeansAreComparedByWelch) {
  // 27.5 21.0 19.0 … of R's documentation in integers: a = 1 2 3 4 5, b = 2 4 6 8 10.
  const auto of = [](std::initializer_list<std::uint64_t> values) {
    state::ArmSums sums;
    for (const auto value : values) {
      state::Trial trial;
      trial.clicks = static_cast<std::uint32_t>(value);
      contribute(sums, trial, 1);
    }
    return sums;
  };
  // t = 3 / sqrt(2.5/5 + 10/5) = 1.8974, df = 6.25 / (0.25/4 + 4/4) = 5.8824, p = 0.10753
  // (R: t.test(1:5, 2 * (1:5))), interval -0.8884 to 6.8884.
  const auto found =
      difference(SuccessMetric::kClicksPerPerson, of({1, 2, 3, 4, 5}), of({2, 4, 6, 8, 10}), 100);
  EXPECT_NEAR(found.p, 0.10753, 1e-4);
  EXPECT_NEAR(found.fixed.low, -0.8884, 1e-3);
  EXPECT_NEAR(found.fixed.high, 6.8884, 1e-3);
}

TEST(ExperimentStatistics, AnswersOfOnePersonAreNotIndependent) {
  // A hundred people with ten answers each who click on all or on none: as much is known as of a
  // hundred answers, not of a thousand.
  state::ArmSums sums;
  for (int i = 0; i < 100; ++i) {
    state::Trial trial;
    trial.exposures = 10;
    trial.clicks = i < 30 ? 10 : 0;
    contribute(sums, trial, 1);
  }
  const auto rate = estimate(SuccessMetric::kClickThroughRate, sums);
  EXPECT_NEAR(rate.value, 0.3, 1e-12);
  EXPECT_NEAR(std::sqrt(rate.variance), std::sqrt(0.3 * 0.7 / 99), 1e-12);
}

TEST(ExperimentStatistics, WhatIsAddedCanBeTakenAway) {
  ExperimentWorld world(1);
  state::ArmSums with, without;
  for (int i = 0; i < 100; ++i) {
    auto trial = world.person({});
    trial.credits = {static_cast<std::uint32_t>(i % 3), static_cast<std::uint32_t>(i % 5)};
    contribute(with, trial, 1);
    if (i % 2 == 0) contribute(without, trial, 1);
    if (i % 2 == 1) contribute(with, trial, -1);
  }
  EXPECT_EQ(with, without);
  EXPECT_GT(with.credits_squared, 0u);
}

TEST(ExperimentStatistics, SharesThatAreNotKeptAreSeen) {
  const auto experiment = two_arms("t");
  const auto p = [&](std::uint64_t a, std::uint64_t b) {
    return sample_ratio_p(experiment.variants, std::vector{people(a, 0), people(b, 0)});
  };
  EXPECT_NEAR(p(5'000, 5'000), 1, 1e-12);
  EXPECT_NEAR(p(4'900, 5'100), 0.0455, 1e-4);  // chi-square 4 with one degree of freedom
  EXPECT_LT(p(4'800, 5'200), kMismatch);
  EXPECT_EQ(p(0, 0), 1);
  auto thirds = experiment.variants;
  thirds[0].share = kWholeTraffic;
  thirds[1].share = 0;  // nobody is expected there
  EXPECT_EQ(sample_ratio_p(thirds, std::vector{people(10, 0), people(0, 0)}), 1);
}

TEST(ExperimentStatistics, AlwaysValidIntervalsAndPValuesAgree) {
  // The interval at alpha touches 0 exactly where p is alpha.
  for (const double people : {100.0, 2'000.0, 50'000.0}) {
    const double variance = 1 / people;
    const auto wide = always_valid(0, variance, people, 2'000);
    const auto edge = always_valid(wide.interval.high, variance, people, 2'000);
    EXPECT_NEAR(edge.interval.low, 0, 1e-12);
    EXPECT_NEAR(edge.p, kAlpha, 1e-9);
    // Wider than what holds for one look.
    EXPECT_GT(wide.interval.high, 1.96 * std::sqrt(variance));
    // With rho chosen for 2,000 no other place is as tight, in standard errors.
    const double best = always_valid(0, 1.0, 2'000, 2'000).interval.high;
    EXPECT_GE(always_valid(0, 1.0, people, 2'000).interval.high, best * 0.999);
  }
  EXPECT_EQ(always_valid(1, 0, 10, 10).p, 1) << "what does not vary says nothing";
}

TEST(ExperimentStatistics, PreferencesAreTestedBySign) {
  state::ArmSums sums;
  sums.people = 100;
  sums.prefer_first = 5;
  sums.prefer_second = 15;
  const auto found = preference(sums, 100);
  EXPECT_NEAR(found.second_share, 0.75, 1e-12);
  EXPECT_NEAR(found.p, 0.0414, 1e-4);  // R: binom.test(5, 20)
  EXPECT_EQ(preference({}, 100).p, 1);
  sums.prefer_second = 5;
  EXPECT_EQ(preference(sums, 100).p, 1);
}

// ---- verdicts

TEST(ExperimentReport, NothingIsConcludedOfTooFewOrMisplacedPeople) {
  auto experiment = two_arms("t");
  experiment.metrics = {"conversion_rate"};
  const auto verdict = [&](const state::ArmSums& a, const state::ArmSums& b) {
    return report_of(experiment, {a, b});
  };
  EXPECT_EQ(verdict(people(999, 100), people(1'000, 500)).verdict, Verdict::kTooFewPeople);
  EXPECT_EQ(verdict(people(1'000, 100), people(2'000, 1'000)).verdict,
            Verdict::kSampleRatioMismatch);
  EXPECT_EQ(verdict(people(1'000, 100), people(1'010, 103)).verdict, Verdict::kUndecided);
  const auto better = verdict(people(1'000, 100), people(1'010, 400));
  EXPECT_EQ(better.verdict, Verdict::kDecided);
  EXPECT_EQ(better.winner, 1u);
  EXPECT_EQ(better.summary, "'treatment' is better than 'control' by conversion_rate");
  EXPECT_EQ(verdict(people(1'000, 400), people(1'010, 100)).winner, 0u);
}

TEST(ExperimentReport, OfSeveralVariantsTheBestWins) {
  auto experiment = two_arms("t");
  experiment.metrics = {"conversion_rate"};
  experiment.variants.push_back({"third", "popular", {}, kWholeTraffic / 3});
  experiment.variants[0].share = experiment.variants[1].share = kWholeTraffic / 3;
  experiment.variants[0].share += 1;
  const auto winner = [&](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return report_of(experiment, {people(2'000, a), people(2'000, b), people(2'000, c)}).winner;
  };
  EXPECT_EQ(winner(200, 500, 700), 2u);
  EXPECT_EQ(winner(200, 190, 500), 2u);
  EXPECT_EQ(winner(700, 200, 500), 0u);
  EXPECT_EQ(winner(700, 200, 690), std::nullopt) << "one may still be as good";
}

// ---- simulated experiments

struct Simulated {
  int repeats = 0;
  int users = 0;
  int days = 1;
};

// One experiment, day by day: `look` sees the sums at each day's end and says whether to go on.
void run(const Experiment& experiment, std::uint64_t seed, const Simulated& size,
         const std::array<ExperimentWorld::Rates, 2>& rates,
         const std::function<bool(const std::vector<state::ArmSums>&)>& look) {
  ExperimentWorld world(seed);
  std::vector<state::ArmSums> sums(2);
  std::string user;
  for (int day = 0, next = 0; day < size.days; ++day) {
    for (; next < size.users * (day + 1) / size.days; ++next) {
      user = "u" + std::to_string(next);
      const auto arm = arm_of(experiment, user);
      contribute(sums[arm], world.person(rates[arm]), 1);
    }
    if (!look(sums)) return;
  }
}

// How often the fixed intervals hold the true difference, the worst of the metrics.
double coverage(const Simulated& size) {
  const std::array<ExperimentWorld::Rates, 2> rates = {{{0.1, 0.2}, {0.105, 0.21}}};
  struct Truth {
    SuccessMetric metric;
    double (*value)(const ExperimentWorld::Rates&);
    int held = 0;
  };
  std::array<Truth, 4> truths = {
      {{SuccessMetric::kClickThroughRate, ExperimentWorld::click_through_rate},
       {SuccessMetric::kClicksPerPerson, ExperimentWorld::clicks_per_person},
       {SuccessMetric::kClickers, ExperimentWorld::clickers},
       {SuccessMetric::kConversionRate, ExperimentWorld::conversion_rate}}};
  for (int repeat = 0; repeat < size.repeats; ++repeat) {
    const auto experiment = two_arms("cover" + std::to_string(repeat));
    run(experiment, 1'000u + static_cast<unsigned>(repeat), size, rates, [&](const auto& sums) {
      for (auto& truth : truths) {
        const double real = truth.value(rates[1]) - truth.value(rates[0]);
        const auto found = difference(truth.metric, sums[0], sums[1], 2'000);
        if (found.fixed.low <= real && real <= found.fixed.high) ++truth.held;
      }
      return true;
    });
  }
  double worst = 1;
  for (const auto& truth : truths) {
    const double share = truth.held / static_cast<double>(size.repeats);
    ::testing::Test::RecordProperty("coverage " + std::to_string(static_cast<int>(truth.metric)),
                                    std::to_string(share));
    worst = std::min(worst, share);
  }
  return worst;
}

struct Stops {
  double always = 0;  // a difference was ever concluded
  double fixed = 0;   // the p-value for one look was ever below 0.05
};

// How often whoever looks every day ever sees a difference.
Stops stops(const Simulated& size, const std::array<ExperimentWorld::Rates, 2>& rates) {
  Stops stopped;
  for (int repeat = 0; repeat < size.repeats; ++repeat) {
    const auto experiment = two_arms("peek" + std::to_string(repeat));
    bool always = false, fixed = false;
    run(experiment, 77'000u + static_cast<unsigned>(repeat), size, rates, [&](const auto& sums) {
      const auto report = report_of(experiment, sums);
      always = always || report.verdict == Verdict::kDecided;
      fixed = fixed || report.comparisons.front().difference.p < kAlpha;
      return true;
    });
    stopped.always += always ? 1.0 / size.repeats : 0;
    stopped.fixed += fixed ? 1.0 / size.repeats : 0;
  }
  ::testing::Test::RecordProperty("always valid", std::to_string(stopped.always));
  ::testing::Test::RecordProperty("fixed", std::to_string(stopped.fixed));
  return stopped;
}

constexpr std::array<ExperimentWorld::Rates, 2> kNoEffect = {{{0.1, 0.2}, {0.1, 0.2}}};

TEST(SimulatedExperiments, FixedIntervalsHoldTheTruth) {
  EXPECT_GE(coverage({.repeats = 200, .users = 4'000}), 0.92);
}

TEST(SimulatedExperiments, WhoLooksEveryDayIsNotMisled) {
  const auto stopped = stops({.repeats = 100, .users = 14'000, .days = 14}, kNoEffect);
  EXPECT_LE(stopped.always, 0.05);
  EXPECT_GT(stopped.fixed, 0.10) << "looking every day would not be a trap";
}

TEST(SimulatedExperiments, ARealEffectIsFound) {
  const auto stopped =
      stops({.repeats = 20, .users = 28'000, .days = 14}, {{{0.1, 0.2}, {0.12, 0.2}}});
  EXPECT_GE(stopped.always, 0.9);
}

TEST(SimulatedExperiments, FixedIntervalsHoldTheTruthLong) {
  EXPECT_GE(coverage({.repeats = 500, .users = 200'000}), 0.93);
}

TEST(SimulatedExperiments, WhoLooksEveryDayIsNotMisledLong) {
  const auto stopped = stops({.repeats = 500, .users = 200'000, .days = 14}, kNoEffect);
  EXPECT_LE(stopped.always, 0.05);
  EXPECT_GT(stopped.fixed, 0.10);
}

}  // namespace
}  // namespace millrace::processors
