#include "state/trials.h"

#include <gtest/gtest.h>

#include "tests/state/store_fixture.h"

namespace millrace::state {
namespace {

const std::uint64_t kExperiment = experiment_key("e1");

Trial trial(std::uint32_t arm, std::uint32_t exposures, std::uint32_t clicks) {
  Trial one;
  one.experiment = kExperiment;
  one.arm = arm;
  one.exposures = exposures;
  one.clicks = clicks;
  return one;
}

TEST(Trials, AreSummedByVariant) {
  TrialSums all;
  const auto a = trial(0, 3, 1), more = trial(0, 4, 2), b = trial(1, 5, 0);
  all.replace(nullptr, &a);
  all.replace(nullptr, &b);
  all.replace(&a, &more);
  const auto sums = all.read(kExperiment);
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0].people, 1u);
  EXPECT_EQ(sums[0].exposures, 4u);
  EXPECT_EQ(sums[0].clicks_squared, 4u);
  EXPECT_EQ(sums[0].exposures_clicks, 8u);
  EXPECT_EQ(sums[0].clickers, 1u);
  EXPECT_EQ(sums[1].clickers, 0u);
  EXPECT_TRUE(all.read(experiment_key("e2")).empty());
}

TEST(Trials, OutliveARestartAndLeaveNoTraceOfWhoIsGone) {
  StoreHome home;
  home.commit();
  const auto nobody = facts_of(home.store());
  const auto a = trial(0, 3, 1), b = trial(1, 5, 2);
  home->trials().replace(nullptr, &a);
  home->trials().replace(nullptr, &b);
  home->applied().next_offset = 1;
  home.commit();
  EXPECT_EQ(home->scan_digest(), home->digest().second);
  home.reopen();
  EXPECT_EQ(home->trials().read(kExperiment)[1].exposures, 5u);
  home->trials().replace(&b, nullptr);
  home->applied().next_offset = 2;
  home.commit();
  EXPECT_EQ(home->trials().read(kExperiment).size(), 1u);
  home->trials().replace(&a, nullptr);
  home->applied().next_offset = 3;
  home.commit();
  EXPECT_EQ(facts_of(home.store()), nobody);
  EXPECT_EQ(home->scan_digest(), home->digest().second);
}

}  // namespace
}  // namespace millrace::state
