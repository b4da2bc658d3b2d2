// Simulated experiments over HTTP: what the server says equals what the formulas say of what was
// done, and its intervals hold the truth as often as they should.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "processors/experiments/arm.h"
#include "processors/experiments/report.h"
#include "tests/serving/experiment_node.h"
#include "tests/support/experiment_world.h"

namespace millrace {
namespace {

constexpr int kRepeats = 20;
constexpr int kUsers = 50;

class SimulatedOverHttp : public ExperimentNode {
 protected:
  using Rates = ExperimentWorld::Rates;

  // Everybody of one experiment; answers what they have done, by variant.
  std::vector<state::ArmSums> run(const std::string& id, std::uint64_t seed,
                                  const std::array<Rates, 2>& rates) {
    const auto asked = node_.engine().catalog().view()->experiments().find(id)->asked;
    ExperimentWorld world(seed);
    std::vector<state::ArmSums> sums(2);
    for (int i = 0; i < kUsers; ++i) {
      const auto user = id + "-" + std::to_string(i);
      const auto arm = processors::arm_of(asked, user);
      auto trial = world.person(rates[arm]);
      for (std::uint32_t n = 0; n < trial.exposures; ++n) {
        const auto shown = recommend(user);
        EXPECT_EQ(shown.at("experiment.variant"), asked.variants[arm].name);
        if (n < trial.clicks) {
          event("click", user, shown.ids().front(), shown.at("recommendation_id"), false);
        }
      }
      if (trial.conversions > 0) event("purchase", user, "product:1", {}, false);
      trial.arm = arm;
      contribute(sums[arm], trial, 1);
    }
    return sums;
  }
};

TEST_F(SimulatedOverHttp, TheServerSaysWhatTheFormulasSay) {
  const std::array<Rates, 2> rates = {{{0.3, 0.4}, {0.4, 0.5}}};
  const double truth =
      ExperimentWorld::conversion_rate(rates[1]) - ExperimentWorld::conversion_rate(rates[0]);
  int held = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto id = "r" + std::to_string(repeat);
    ASSERT_EQ(begin(id, R"(,"minimum_sample_size":10,"success_metrics":["conversion_rate",)"
                        R"("click_through_rate"])")
                  .status(),
              201);
    const auto sums = run(id, 500u + static_cast<unsigned>(repeat), rates);
    ASSERT_TRUE(eventually([&] {
      const auto reply = read(id);
      bool all = true;
      for (const std::size_t arm : {0u, 1u}) {
        const auto of = "results.variants." + std::to_string(arm) + ".";
        all = all && reply.number(of + "exposures") == static_cast<double>(sums[arm].exposures) &&
              reply.number(of + "clicks") == static_cast<double>(sums[arm].clicks) &&
              reply.number(of + "converters") == static_cast<double>(sums[arm].converters);
      }
      return all;
    })) << read(id).body();
    const auto reply = read(id);
    const auto asked = node_.engine().catalog().view()->experiments().find(id)->asked;
    const auto report = processors::report_of(asked, sums);
    EXPECT_EQ(reply.at("results.verdict"), verdict_name(report.verdict));
    for (std::size_t i = 0; i < report.comparisons.size(); ++i) {
      const auto of = "results.comparisons." + std::to_string(i) + ".";
      const auto& difference = report.comparisons[i].difference;
      EXPECT_EQ(reply.number(of + "difference"), difference.value);
      EXPECT_EQ(reply.number(of + "low"), difference.fixed.low);
      EXPECT_EQ(reply.number(of + "high"), difference.fixed.high);
      EXPECT_EQ(reply.number(of + "always_valid.p_value"), difference.always.p);
    }
    held += reply.number("results.comparisons.0.low") <= truth &&
                    truth <= reply.number("results.comparisons.0.high")
                ? 1
                : 0;
    ASSERT_EQ(stop(id).status(), 200);
  }
  // Of 20 intervals that each hold in 95 of 100 cases, fewer than 16 do in 1 of 390.
  EXPECT_GE(held, 16) << "of 20 intervals at 95 %";
}

}  // namespace
}  // namespace millrace
