// The embedded log on a disk that is full, or fails.
#include "ingest/embedded_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/embedded_log_on.h"
#include "tests/support/eventually.h"

namespace millrace::ingest {
namespace {

using Texts = std::vector<std::string>;

TEST(EmbeddedLogFaults, AFullDiskRefusesAndResumesByItself) {
  LogGround ground;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 10));
    const auto used = log->size_bytes();
    ground.files.limit_space(used + 500);
    const auto refused = log->append_and_wait(
        {{kInteractions0, "u", filler(10)}, {kInteractions0, "u", filler(11)}});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_NE(refused.error().detail.find("disk full"), std::string::npos);
    EXPECT_FALSE(log->writable().has_value());
    EXPECT_NE(ground.metrics.text().find("log_writable 0"), std::string::npos);
    EXPECT_EQ(texts(*log, kInteractions0).size(), 10u);
    ground.files.limit_space(1u << 30);
    ASSERT_TRUE(eventually([&] { return log->writable().has_value(); }));
    ASSERT_TRUE(append_each(*log, 10, 12));
  }
  EXPECT_EQ(texts(*ground.open(), kInteractions0).size(), 12u);
}

TEST(EmbeddedLogFaults, AnAppendAfterSpaceIsBackNeedsNoWaiting) {
  LogGround ground;
  auto options = ground.options();
  options.probe_ms = 1'000'000;
  const auto log = EmbeddedLog::open(options).value();
  ground.files.limit_space(0);
  EXPECT_FALSE(log->append_and_wait({{kInteractions0, "u", "a"}}).has_value());
  EXPECT_FALSE(log->append_and_wait({{kInteractions0, "u", "a"}}).has_value());
  ground.files.limit_space(1u << 30);
  EXPECT_EQ(*log->append_and_wait({{kInteractions0, "u", "b"}}), std::vector<Offset>{0});
  EXPECT_TRUE(log->writable().has_value());
}

TEST(EmbeddedLogFaults, ADiskThatFillsUpWhileASegmentBeginsResumes) {
  LogGround ground;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 18));  // nearly a whole segment
    ASSERT_EQ(ground.segments().size(), 1u);
    ground.files.limit_space(log->size_bytes() + 20);
    EXPECT_FALSE(log->append_and_wait({{kInteractions0, "u", filler(18)}}).has_value());
    ground.files.limit_space(1u << 30);
    ASSERT_TRUE(append_each(*log, 18, 40));
  }
  EXPECT_EQ(texts(*ground.open(), kInteractions0).size(), 40u);
}

TEST(EmbeddedLogFaults, AFailingFsyncEndsWritingForGood) {
  LogGround ground;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 3));
    ground.files.fail_syncs();
    const auto unknown = log->append_and_wait({{kInteractions0, "u", filler(3)}});
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, Code::kUnavailable);
    EXPECT_NE(unknown.error().detail.find("outcome unknown"), std::string::npos);
    const auto syncs = ground.files.syncs();
    const auto refused = log->append_and_wait({{kInteractions0, "u", filler(4)}});
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_EQ(refused.error().detail.find("outcome unknown"), std::string::npos);
    EXPECT_EQ(ground.files.syncs(), syncs) << "fsync was tried again";
    EXPECT_FALSE(log->writable().has_value());
    EXPECT_EQ(texts(*log, kInteractions0).size(), 3u);
  }
  std::mt19937_64 random(1);
  ground.files.restart(random);
  const auto kept = texts(*ground.open(), kInteractions0).size();
  EXPECT_TRUE(kept == 3 || kept == 4);
}

TEST(EmbeddedLogFaults, AWriteErrorEndsWritingAndKeepsNothing) {
  LogGround ground;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 3));
    ground.files.fail_writes();
    const auto failed = log->append_and_wait({{kInteractions0, "u", filler(3)}});
    EXPECT_EQ(failed.error().code, Code::kUnavailable);
    EXPECT_EQ(failed.error().detail.find("outcome unknown"), std::string::npos);
    EXPECT_FALSE(log->writable().has_value());
  }
  EXPECT_EQ(texts(*ground.open(), kInteractions0).size(), 3u);
}

TEST(EmbeddedLogFaults, NothingIsVisibleBeforeItIsDurable) {
  LogGround ground;
  const auto log = ground.open();
  ASSERT_TRUE(append_each(*log, 0, 1));
  ground.files.hold_syncs();
  const auto syncs = ground.files.syncs();
  std::atomic<bool> answered = false;
  log->append({{kInteractions0, "u", "a"}}, [&](const AppendResult&) { answered = true; });
  ASSERT_TRUE(eventually([&] { return ground.files.syncs() > syncs; }));
  EXPECT_FALSE(answered);
  EXPECT_EQ(log->end(kInteractions0), 1);
  EXPECT_TRUE(log->read(kInteractions0, 1, 10, 10)->empty());
  ground.files.release_syncs();
  EXPECT_TRUE(log->wait_beyond(kInteractions0, 1, 20'000));
  EXPECT_TRUE(eventually([&] { return answered.load(); }));
}

}  // namespace
}  // namespace millrace::ingest
