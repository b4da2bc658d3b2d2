#include "ingest/settle.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/memory_log.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kMaxRecord = 300;

std::string event(const std::string& id, std::size_t notes = 0) {
  return R"({"id":")" + id + R"(","type":"like","data":{"user":"ann","item":"movie:1","notes":")" +
         std::string(notes, 'x') + R"("}})";
}

// Records of text, and a carrier that can be told to fail.
class TextBatch final : public SourceBatch {
 public:
  explicit TextBatch(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  std::size_t size() const override { return texts_.size(); }
  Result<std::vector<EventOutcome>> events(std::size_t record) const override {
    return parse_events(texts_[record], BodyKind::kJson);
  }
  void bury(std::size_t record, const Error& reason) override {
    buried.insert(record);
    reasons.push_back(reason.code);
  }
  Status flush() override {
    if (failing_flushes-- > 0) return fail(Code::kUnavailable, "no dead letters now");
    return {};
  }
  void commit() override { ++commits; }
  bool pause() override {
    if (on_pause) on_pause();
    return pauses_allowed-- > 0;
  }

  std::set<std::size_t> buried;
  std::vector<Code> reasons;
  int commits = 0;
  int failing_flushes = 0;
  int pauses_allowed = 100;
  std::function<void()> on_pause;

 private:
  std::vector<std::string> texts_;
};

class Settle : public testing::Test {
 protected:
  Offset records() const { return log_.end({Topic::kInteractions, 0}); }

  ManualClock clock_{1'700'000'000'000};
  Metrics metrics_;
  MemoryLog log_{clock_, 1, kMaxRecord};
  Acceptor acceptor_{log_,
                     std::make_shared<const InteractionTable>(),
                     [](std::uint16_t, const state::Identity&) { return std::nullopt; },
                     clock_,
                     metrics_,
                     {}};
};

TEST_F(Settle, WhatTheLogDoesNotTakeIsFoundAndTheOthersGoIn) {
  TextBatch batch({event("a"), event("b", kMaxRecord), "no event", event("c")});
  settle(batch, acceptor_);
  EXPECT_EQ(batch.buried, (std::set<std::size_t>{1, 2}));
  EXPECT_EQ(records(), 2);
  EXPECT_EQ(batch.commits, 1);
}

TEST_F(Settle, NothingIsCommittedBeforeTheLogHasIt) {
  log_.refuse_appends("away");
  TextBatch batch({event("a"), event("b")});
  batch.on_pause = [&] {
    EXPECT_EQ(batch.commits, 0);
    if (batch.pauses_allowed == 98) log_.accept_appends();
  };
  settle(batch, acceptor_);
  EXPECT_EQ(batch.commits, 1);
  EXPECT_EQ(records(), 2);
}

TEST_F(Settle, NorBeforeTheDeadLettersAreConfirmed) {
  TextBatch batch({"no event"});
  batch.failing_flushes = 2;
  settle(batch, acceptor_);
  EXPECT_EQ(batch.commits, 1);
  EXPECT_EQ(batch.reasons.size(), 3u) << "each time from the beginning";
}

TEST_F(Settle, ToldToStopItLeavesTheOffset) {
  log_.refuse_appends("away");
  TextBatch batch({event("a")});
  batch.pauses_allowed = 0;
  settle(batch, acceptor_);
  EXPECT_EQ(batch.commits, 0);
  EXPECT_EQ(records(), 0);
}

}  // namespace
}  // namespace millrace::ingest
