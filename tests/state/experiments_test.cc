#include "state/experiments.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "schemas/catalog_record.h"
#include "state/catalog_store.h"
#include "tests/support/experiment_world.h"
#include "tests/support/temp_dir.h"

namespace millrace::state {
namespace {

class ExperimentsTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    items_ = std::make_unique<NameTable>();
    names_ = std::make_unique<CatalogNames>();
    auto opened = CatalogStore::open({(dir_.path() / "catalog").string()}, shared_, *items_,
                                     *names_, metrics_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    store_ = std::move(*opened);
  }
  CommandOutcome apply(const CatalogChange& change) {
    const Offset at = store_->next_offset();
    const auto command = "c" + std::to_string(at);
    store_->apply(at, 1'000 + at, encode(CatalogRecord{command, change}));
    store_->publish();
    return store_->outcome(command).value_or(CommandOutcome::kForbidden);
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

  TempDir dir_;
  RocksShared shared_{{}};
  Metrics metrics_;
  std::unique_ptr<NameTable> items_;
  std::unique_ptr<CatalogNames> names_;
  std::unique_ptr<CatalogStore> store_;
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
