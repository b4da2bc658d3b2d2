// Who is in which variant, what variants change, and whose turn it is in an interleaved list.
#include "processors/experiments/arm.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "processors/experiments/interleave.h"
#include "processors/experiments/statistics.h"
#include "tests/support/experiment_world.h"
#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

std::vector<state::ArmSums> spread(const Experiment& experiment, int users) {
  std::vector<state::ArmSums> sums(experiment.variants.size());
  for (int i = 0; i < users; ++i) ++sums[arm_of(experiment, "u" + std::to_string(i))].people;
  return sums;
}

TEST(ExperimentArm, IsTheSameForEver) {
  // Written down once: an experiment that runs over an upgrade must not move anybody.
  auto experiment = two_arms("rec_test_v1");
  std::string arms;
  for (int i = 0; i < 32; ++i) {
    arms += std::to_string(arm_of(experiment, "user-" + std::to_string(i)));
  }
  EXPECT_EQ(arms, "10111111100100100101010110011110");
}

TEST(ExperimentArm, PeopleAreSpreadByTheSharesAndAnewInEachExperiment) {
  auto experiment = two_arms("a");
  EXPECT_GT(sample_ratio_p(experiment.variants, spread(experiment, 100'000)), kMismatch);
  experiment.variants[0].share = 50'000;
  experiment.variants[1].share = 650'000;
  experiment.variants.push_back({"third", "popular", {}, 300'000});
  EXPECT_GT(sample_ratio_p(experiment.variants, spread(experiment, 100'000)), kMismatch);
  experiment.variants[0].share = 0;
  experiment.variants[1].share = kWholeTraffic;
  experiment.variants[2].share = 0;
  EXPECT_EQ(spread(experiment, 1'000)[1].people, 1'000u);

  const auto one = two_arms("one"), other = two_arms("other");
  int same = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto user = "u" + std::to_string(i);
    same += arm_of(one, user) == arm_of(other, user) ? 1 : 0;
  }
  EXPECT_NEAR(same, 5'000, 200) << "who is in one says nothing of the other";
}

Ranked list(std::initializer_list<state::ItemIndex> items) {
  Ranked ranked;
  for (const auto item : items) ranked.items.push_back({item, 1, {}});
  ranked.level = "popular";
  return ranked;
}

TEST(Interleave, NothingComesTwiceAndBothTeamsAreAsLarge) {
  const auto first = list({1, 2, 3, 4, 5, 6}), second = list({2, 1, 7, 8, 9, 10});
  int leads = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const auto both = interleave(first, second, 6, seed);
    ASSERT_EQ(both.ranked.items.size(), 6u);
    ASSERT_EQ(both.second.size(), 6u);
    std::set<state::ItemIndex> items;
    int of_second = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      items.insert(both.ranked.items[i].item);
      of_second += both.second[i] ? 1 : 0;
    }
    EXPECT_EQ(items.size(), 6u);
    EXPECT_EQ(of_second, 3);
    leads += both.second[0] ? 1 : 0;
    EXPECT_EQ(both.ranked.items[0].item, both.second[0] ? 2u : 1u);
    EXPECT_EQ(interleave(first, second, 6, seed).second, both.second) << "by seed alone";
  }
  EXPECT_NEAR(leads, 500, 60);
}

TEST(Interleave, AListThatEndsLeavesTheRestToTheOther) {
  const auto both = interleave(list({1}), list({2, 3, 4}), 10, 1);
  EXPECT_EQ(both.ranked.items.size(), 4u);
  EXPECT_TRUE(both.second.back());
  EXPECT_TRUE(interleave(list({}), list({}), 10, 1).ranked.items.empty());
  // The same list: who leads takes it in turns, and nobody is preferred.
  EXPECT_EQ(interleave(list({1, 2}), list({1, 2}), 2, 3).ranked.items.size(), 2u);
}

class ArmRanks : public ::testing::Test {
 protected:
  ArmRanks() {
    for (const char* id : {"movie:1", "movie:2", "movie:3"}) world_.put(id, {"Drama"});
    for (int i = 0; i < 3; ++i) world_.watch("a" + std::to_string(i), "movie:2");
    world_.rebuild();
    query_.limit = 3;
    query_.now = world_.now;
  }
  ExperimentArm arm(Experiment experiment, std::uint32_t number) {
    return {
        std::make_shared<const state::KeptExperiment>(state::KeptExperiment{std::move(experiment)}),
        number};
  }

  RankerWorld world_;
  Query query_;
};

TEST_F(ArmRanks, TheVariantsAlgorithmIsApplied) {
  const auto state = world_.state();
  const auto& feed = *find_ranker("feed");
  auto experiment = two_arms("e");
  for (const std::uint32_t number : {0u, 1u}) {
    const auto found = rank_in(arm(experiment, number), query_, state, feed);
    const auto* ranker = find_ranker(experiment.variants[number].algorithm);
    EXPECT_EQ(found.ranked, ranker->rank(query_, state));
    EXPECT_TRUE(found.second.empty());
  }
  experiment.variants[0].algorithm = "of a later version";
  EXPECT_EQ(rank_in(arm(experiment, 0), query_, state, feed).ranked, feed.rank(query_, state));
}

TEST_F(ArmRanks, TheVariantsOptionsAreApplied) {
  auto experiment = two_arms("e");
  experiment.variants[0] = {"control", "feed", {{"feed_view", 7}, {"feed_random", 0}}, 500'000};
  world_.view("a", "movie:3", BuiltIn::kView, 5);
  const auto state = world_.state();
  query_.explain = true;
  const auto& feed = *find_ranker("feed");
  auto changed = state;
  changed.options.feed_view = 7;
  changed.options.feed_random = 0;
  const auto found = rank_in(arm(experiment, 0), query_, state, feed);
  EXPECT_EQ(found.ranked, feed.rank(query_, changed));
  EXPECT_NE(found.ranked, feed.rank(query_, state));
}

TEST_F(ArmRanks, InterleavingShowsBoth) {
  auto experiment = two_arms("e");
  experiment.kind = ExperimentKind::kInterleaving;
  const auto found = rank_in(arm(experiment, 0), query_, world_.state(), *find_ranker("feed"));
  EXPECT_EQ(found.ranked.algorithm, "interleaved");
  EXPECT_EQ(found.second.size(), found.ranked.items.size());
}

}  // namespace
}  // namespace millrace::processors
