#include "processors/prequential/prequential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "processors/prequential/blend_record.h"
#include "tests/support/eventually.h"
#include "tests/support/test_node.h"

namespace millrace::processors {
namespace {

TestNode::Options options(double per_second = 1e6) {
  TestNode::Options out;
  out.engine.prequential.per_second = per_second;
  out.engine.prequential.put_ms = 0;
  return out;
}

// Everybody who likes movie:0 likes movie:1 next.
class PrequentialNode : public ::testing::Test {
 protected:
  void open(TestNode::Options options) {
    node_ = std::make_unique<TestNode>(std::move(options));
    for (int i = 0; i < 30; ++i) node_->put(movie(i));
    for (int u = 0; u < 5; ++u) {
      like("before" + std::to_string(u), 0);
      like("before" + std::to_string(u), 1);
    }
    for (int u = 0; u < 5; ++u) like("before" + std::to_string(u), 20 + u);
    for (int u = 0; u < 5; ++u) like("before" + std::to_string(u), 10);  // others' are left to say
  }
  static std::string movie(int number) { return "movie:" + std::to_string(number); }
  void like(const std::string& user, int number) { node_->event("like", user, movie(number)); }
  Prequential::Figures figures() { return node_->engine().prequential().figures(); }
  RankerScore score(std::string_view name) {
    const auto now = figures();
    return std::find_if(now.rankers.begin(), now.rankers.end(),
                        [&](const auto& one) { return one.first == name; })
        ->second;
  }
  // Until it is predicted of one more what they take to next.
  bool predicted(std::size_t people) {
    return eventually([&] { return figures().people == people; });
  }
  std::size_t settled() {
    std::size_t people = 0;
    EXPECT_TRUE(eventually([&] { return (people = figures().people) == 5; }));
    return people;
  }

  std::unique_ptr<TestNode> node_;
};

TEST_F(PrequentialNode, AnEventIsComparedWithWhatWasSaidBeforeIt) {
  open(options());
  const auto before = settled();
  const auto tested = score("hybrid_ensemble").predictions();
  const auto hits = score("hybrid_ensemble").hit_rate() * static_cast<double>(tested);
  like("ann", 0);
  ASSERT_TRUE(predicted(before + 1));
  like("ann", 1);
  ASSERT_TRUE(eventually([&] { return score("hybrid_ensemble").predictions() == tested + 1; }));
  EXPECT_DOUBLE_EQ(score("hybrid_ensemble").hit_rate() * static_cast<double>(tested + 1), hits + 1);
  EXPECT_GT(score("collaborative").predictions(), 0u);
  EXPECT_EQ(score("deep_learning").predictions(), 0u) << "there is none";
  const auto text = node_->metrics().text();
  EXPECT_NE(text.find("prequential_hits_total{ranker=\"collaborative\"}"), std::string::npos);
}

TEST_F(PrequentialNode, WhatNobodyHasDoneIsAMiss) {
  open(options());
  const auto before = settled();
  const auto tested = score("hybrid_ensemble").predictions();
  const auto hits = score("hybrid_ensemble").hit_rate() * static_cast<double>(tested);
  like("ann", 0);
  ASSERT_TRUE(predicted(before + 1));
  like("ann", 17);
  ASSERT_TRUE(eventually([&] { return score("hybrid_ensemble").predictions() == tested + 1; }));
  EXPECT_DOUBLE_EQ(score("hybrid_ensemble").hit_rate() * static_cast<double>(tested + 1), hits);
}

TEST_F(PrequentialNode, WhatThePersonHasHadIsNoTest) {
  open(options());
  const auto before = settled();
  const auto tested = score("hybrid_ensemble").predictions();
  like("ann", 0);
  ASSERT_TRUE(predicted(before + 1));
  node_->event("dislike", "ann", movie(4));
  node_->event("dislike", "ann", movie(1));
  like("ann", 1);
  like("bob", 0);  // whose prediction tells that hers have been looked at
  ASSERT_TRUE(predicted(before + 2));
  EXPECT_EQ(score("hybrid_ensemble").predictions(), tested);
}

TEST_F(PrequentialNode, ErasedPeopleAreForgotten) {
  open(options());
  const auto before = settled();
  like("ann", 0);
  ASSERT_TRUE(predicted(before + 1));
  ASSERT_EQ(node_->call("DELETE", "/v1/users/ann").status() / 100, 2);
  EXPECT_TRUE(predicted(before));
}

TEST_F(PrequentialNode, NothingIsPredictedWhenOff) {
  open(options(0));
  like("ann", 0);
  like("ann", 1);
  EXPECT_EQ(figures().people, 0u);
  EXPECT_EQ(score("hybrid_ensemble").predictions(), 0u);
}

TEST_F(PrequentialNode, TheBoundOfPeopleHolds) {
  auto few = options();
  few.engine.prequential.people = 3;
  open(few);
  ASSERT_TRUE(predicted(3));
  like("ann", 0);
  like("bob", 0);
  ASSERT_TRUE(predicted(3));
}

TEST_F(PrequentialNode, ALearnedBlendIsAVersionThatReadersGet) {
  open(options());
  for (int u = 0; u < 120 && node_->engine().catalog().blend()->version == 0; ++u) {
    const auto user = "u" + std::to_string(u);
    const auto tested = score("hybrid_ensemble").predictions();
    const auto people = figures().people;
    like(user, 0);
    ASSERT_TRUE(eventually([&] { return figures().people > people; }));
    like(user, 1);
    ASSERT_TRUE(eventually([&] { return score("hybrid_ensemble").predictions() > tested; }));
  }
  ASSERT_TRUE(eventually([&] { return node_->engine().catalog().blend()->version > 0; }));
  const auto kept = node_->engine().catalog().blend();
  EXPECT_GT(largest_change(weights_of(kept->blend), BlendWeights()), 0.01);
  EXPECT_LT(largest_change(node_->engine().read("ann")->blend, weights_of(kept->blend)), 1e-9);
  const auto quality = node_->get("/api/model-metrics/");
  EXPECT_EQ(quality.status(), 200) << quality.body();
  EXPECT_GE(quality.number("live.blend.version"), 1) << quality.body();
  node_->restart();
  EXPECT_GE(node_->engine().catalog().blend()->version, kept->version);
  EXPECT_GT(largest_change(node_->engine().read("ann")->blend, BlendWeights()), 0.01)
      << "it outlives a restart";
  EXPECT_GE(figures().learner.predictions(Segment::kNew, Moment::kHere), BlendLearner::kFewest);
}

TEST_F(PrequentialNode, FixedWeightsStay) {
  auto fixed = options();
  fixed.engine.prequential.learn = false;
  open(fixed);
  auto& log = node_->log();
  ASSERT_TRUE(log.append_and_wait(
      {{kCatalogPartition,
        {},
        encode(CatalogRecord{"b", PutBlend{{{{0, 0, 99, {{"linear", 7}}}}}}})}}));
  ASSERT_TRUE(eventually([&] { return node_->engine().catalog().blend()->version == 1; }));
  EXPECT_LT(largest_change(node_->engine().read("ann")->blend, BlendWeights()), 1e-12);
}

TEST(TestQueues, SampleByNameAndDropBeyondTheBound) {
  Metrics metrics;
  TestQueue queue({0.25, 2}, metrics);
  EXPECT_FALSE(queue.wants("ann")) << "closed";
  queue.open();
  int wanted = 0;
  for (int i = 0; i < 4'000; ++i) wanted += queue.wants("user" + std::to_string(i)) ? 1 : 0;
  EXPECT_NEAR(wanted, 1'000, 120);
  for (int i = 0; i < 3; ++i) queue.push({});
  EXPECT_EQ(queue.take().size(), 2u);
  EXPECT_NE(metrics.text().find("prequential_events_dropped_total 1"), std::string::npos);
  EXPECT_TRUE(queue.take().empty());
}

}  // namespace
}  // namespace millrace::processors
