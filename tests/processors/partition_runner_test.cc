// When a partition's commits are cut.
#include "processors/partition_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/memory_log.h"
#include "schemas/interaction_table.h"
#include "schemas/record.h"
#include "tests/support/temp_dir.h"

namespace millrace::processors {
namespace {

class NoViews final : public ViewSink {
 public:
  void entered(std::uint16_t, std::string_view, state::ItemIndex,
               const std::vector<state::ItemIndex>&) override {}
  void visited(const Visit&) override {}
  void erased(std::uint16_t, std::string_view, const std::vector<state::ItemIndex>&,
              std::uint32_t) override {}
  void settle(std::uint16_t) override {}
  std::shared_ptr<const state::Profile> changed(std::uint16_t, const state::Profile*,
                                                const state::Person&, const state::ItemRow&,
                                                const state::ItemRow&, state::ItemIndex) override {
    return nullptr;
  }
  void rated(const InteractionView&, Offset, state::ItemIndex) override {}
  void forgotten(std::string_view, state::ItemIndex) override {}
};

constexpr LogPartition kPartition{Topic::kInteractions, 0};
constexpr CommitLimits kLimits;

class Runner : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = state::PartitionStore::open({.directory = home_.path() / "0"}, shared_, items_,
                                              names_, metrics_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
    // A slow disk takes 50 ms for a batch: forty times that is more than a second.
    store_->db().on_write([this](std::string_view) -> Status {
      const auto until = steady_micros() + (slow_disk_ ? 50'000 : 0);
      while (steady_micros() < until) {
      }
      return {};
    });
    runner_ = runner(metrics_);
    Ruleset rules;
    rules.types = InteractionTable().names();
    log_.push(kPartition, encode(LogRecord{rules}));
    step_all();
    ASSERT_TRUE(commit());
  }
  void TearDown() override { commits_.drain(); }

  void push(int number) {
    append(number);
    step_all();
  }
  void append(int number) {
    Interaction view;
    view.event.source = "/test";
    view.event.id = std::to_string(number);
    view.event.user = UserId("ann");
    view.event.item = ItemId("video:" + std::to_string(number));
    view.event.time = 1;
    view.type_number = static_cast<std::uint32_t>(BuiltIn::kView);
    view.weight = 1;
    log_.push(kPartition, encode(LogRecord{view}));
  }
  void step_all() {
    while (runner_->lag() > 0) ASSERT_TRUE(runner_->step());
  }
  std::unique_ptr<PartitionRunner> runner(Metrics& metrics) {
    const RunnerParts parts{&log_,       store_.get(), &views_,  &commits_,
                            &publisher_, &clock_,      &metrics, [] {}};
    return std::make_unique<PartitionRunner>(0, parts, kLimits, 100);
  }
  bool commit() {
    runner_->commit_now();
    return commits_.drain();
  }

  TempDir home_;
  SystemClock clock_;
  Metrics metrics_;
  state::RocksShared shared_{{}};
  state::NameTable items_;
  state::CatalogNames names_;
  ingest::MemoryLog log_{clock_, 1};
  NoViews views_;
  std::unique_ptr<state::PartitionStore> store_;
  std::unique_ptr<PartitionRunner> runner_;
  std::atomic<bool> slow_disk_{false};
  Publisher publisher_{1, [](const std::vector<state::ItemIndex>&) {}, metrics_};
  CommitQueue commits_{metrics_};  // its last job may still call the runner
};

// The digest as metrics show it, by offset.
std::string shown(Metrics& metrics) {
  std::istringstream lines(metrics.text());
  std::string offset, digest;
  for (std::string line; std::getline(lines, line);) {
    const std::string value = line.substr(line.rfind(' ') + 1);
    if (line.starts_with("state_digest_offset{")) offset = value;
    if (line.starts_with("state_digest{")) digest = value;
  }
  return offset + ": " + digest;
}

TEST_F(Runner, TheLastKeptDigestIsAMetricAlsoAfterAStart) {
  EXPECT_EQ(shown(metrics_), "0: 0");
  const auto there = static_cast<int>(kDigestEvery);
  for (int i = static_cast<int>(log_.end(kPartition)); i < there; ++i) append(i % 50);
  step_all();
  ASSERT_TRUE(commit());
  const auto kept = store_->digest_at(kDigestEvery);
  ASSERT_TRUE(kept && *kept);
  const auto last = std::stoull((*kept)->text().substr(20), nullptr, 16);  // 12 digits: 48 bits
  const std::string expected = "65536: " + std::to_string(last);
  EXPECT_EQ(shown(metrics_), expected);

  push(there);
  ASSERT_TRUE(commit());
  EXPECT_EQ(shown(metrics_), expected);
  Metrics after;
  const auto again = runner(after);
  EXPECT_EQ(shown(after), expected);
}

TEST_F(Runner, NothingIsDueWithoutAChange) { EXPECT_EQ(runner_->commit_due_ms(), -1); }

TEST_F(Runner, AChangeWaitsForTheIntervalAtMost) {
  push(1);
  EXPECT_GE(runner_->commit_due_ms(), 0);
  EXPECT_LE(runner_->commit_due_ms(), 1000);
}

TEST_F(Runner, WhereCommitsTakeLongTheNextOneWaitsForASecond) {
  slow_disk_ = true;
  push(1);
  ASSERT_TRUE(commit());
  const auto before = steady_micros();
  push(2);
  const int due_ms = runner_->commit_due_ms();
  const auto took_ms = (steady_micros() - before) / 1000;
  EXPECT_LE(due_ms, 1000);
  EXPECT_GE(due_ms + took_ms, 999) << "forty times what the last one took, up to a second";
}

}  // namespace
}  // namespace millrace::processors
