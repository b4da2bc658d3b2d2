#include "state/experiments.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/state/catalog_world.h"
#include "tests/support/experiment_world.h"

namespace millrace::state {
namespace {

class ExperimentsTest : public CatalogWorld {
 protected:
  CommandOutcome apply(const CatalogChange& change) {
    return put(change).value_or(CommandVerdict{CommandOutcome::kForbidden}).outcome;
  }
  CommandOutcome create(const std::string& id, UnixMillis start = 100, UnixMillis end = 200) {
    auto experiment = two_arms(id);
    experiment.start = start;
    experiment.end = end;
    return apply(PutExperiment{experiment});
  }
  std::string running(UnixMillis now) {
    const auto found = store_->view()->experiments().running(now);
    return found ? found->asked.id : "none";
  }
};

TEST_F(ExperimentsTest, AnIdIsGivenOnce) {
  EXPECT_EQ(create("a"), CommandOutcome::kCreated);
  EXPECT_EQ(create("a"), CommandOutcome::kNameTaken);
  EXPECT_EQ(apply(StopExperiment{"a"}), CommandOutcome::kReplaced);
  EXPECT_EQ(create("a"), CommandOutcome::kNameTaken);
  EXPECT_EQ(apply(StopExperiment{"b"}), CommandOutcome::kNotFound);
}

TEST_F(ExperimentsTest, RunningIsWhoseTimeItIsTheEarliestFirst) {
  EXPECT_EQ(running(150), "none");
  create("b", 100, 200);
  create("a", 150, 400);
  create("c", 100, 300);
  EXPECT_EQ(running(99), "none");
  EXPECT_EQ(running(100), "b");
  EXPECT_EQ(running(199), "b") << "a newer one takes nobody from one that runs";
  EXPECT_EQ(running(200), "c");
  EXPECT_EQ(running(300), "a");
  EXPECT_EQ(running(400), "none");
  apply(StopExperiment{"b"});
  EXPECT_EQ(running(150), "c");
  EXPECT_EQ(phase_of(*store_->view()->experiments().find("b"), 150), Phase::kStopped);
  EXPECT_EQ(phase_of(*store_->view()->experiments().find("a"), 149), Phase::kScheduled);
  EXPECT_EQ(phase_of(*store_->view()->experiments().find("a"), 400), Phase::kEnded);
}

TEST_F(ExperimentsTest, TheyOutliveARestartAndAreInTheDigest) {
  ASSERT_TRUE(store_->commit());
  const auto empty = store_->digest();
  create("a");
  create("b");
  apply(StopExperiment{"a"});
  const auto stopped = store_->view()->experiments().find("a")->stopped;
  EXPECT_GT(stopped, 0);
  apply(StopExperiment{"a"});
  EXPECT_EQ(store_->view()->experiments().find("a")->stopped, stopped) << "stopped once";
  ASSERT_TRUE(store_->commit());
  EXPECT_FALSE(store_->digest() == empty);
  EXPECT_EQ(store_->scan_digest(), store_->digest());
  const auto asked = store_->view()->experiments().find("b")->asked;
  open();
  EXPECT_EQ(store_->scan_digest(), store_->digest());
  EXPECT_EQ(store_->view()->experiments().find("b")->asked, asked);
  EXPECT_EQ(store_->view()->experiments().find("a")->stopped, stopped);
  EXPECT_EQ(running(150), "b");
}

TEST_F(ExperimentsTest, ThereAreAtMostAThousand) {
  for (std::size_t i = 0; i < kMaxExperiments; ++i) {
    ASSERT_EQ(create("e" + std::to_string(i)), CommandOutcome::kCreated);
  }
  EXPECT_EQ(create("one more"), CommandOutcome::kFull);
}

}  // namespace
}  // namespace millrace::state
