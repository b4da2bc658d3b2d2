// The embedded log beyond the contract: recovery, damage, trimming, reading while it is written.
#include "ingest/embedded_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/embedded_log_on.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace millrace::ingest {
namespace {

using Texts = std::vector<std::string>;

TEST(EmbeddedLog, ContinuesOffsetsAndTimeAfterARestart) {
  LogGround ground;
  std::uint64_t identity = 0;
  {
    const auto log = ground.open();
    identity = log->identity();
    ASSERT_TRUE(append_each(*log, 0, 50));
    ASSERT_TRUE(log->append_and_wait({{kCatalogPartition, "", "c"}}).has_value());
  }
  ground.clock.advance(-500'000);
  const auto log = ground.open();
  EXPECT_EQ(log->identity(), identity);
  EXPECT_GT(ground.segments().size(), 2u);
  EXPECT_EQ(log->end(kInteractions0), 50);
  EXPECT_EQ(log->end(kInteractions1), 0);
  EXPECT_EQ(*log->append_and_wait({{kInteractions0, "u", "next"}}), std::vector<Offset>{50});
  EXPECT_EQ(log->read(kInteractions0, 50, 1, 1)->front().append_time, 1'000'000);
  const auto all = texts(*log, kInteractions0);
  ASSERT_EQ(all.size(), 51u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], filler(i));
  EXPECT_EQ(texts(*log, kCatalogPartition), Texts{"c"});
}

TEST(EmbeddedLog, WorksOnRealFiles) {
  const TempDir directory;
  Metrics metrics;
  const SystemClock clock;
  const EmbeddedLogOptions options{.directory = (directory.path() / "a" / "log").string(),
                                   .segment_bytes = 16u << 10,
                                   .metrics = &metrics,
                                   .clock = &clock};
  {
    const auto log = EmbeddedLog::open(options).value();
    ASSERT_TRUE(append_each(*log, 0, 100));
    EXPECT_EQ(EmbeddedLog::open(options).error().code, Code::kConflict);
  }
  const auto log = EmbeddedLog::open(options).value();
  EXPECT_EQ(texts(*log, kInteractions0).size(), 100u);
  EXPECT_NE(metrics.text().find("log_appended_records_total 100"), std::string::npos);
  EXPECT_NE(metrics.text().find("log_fsync_seconds_count 100"), std::string::npos);
  EXPECT_NE(metrics.text().find("log_writable 1"), std::string::npos);
}

TEST(EmbeddedLog, ReadsAnywhereInOldSegments) {
  LogGround ground;
  { append_each(*ground.open(), 0, 120); }
  const auto log = ground.open();
  for (const int at : {119, 3, 77, 76, 40, 0, 118}) {
    const auto records = log->read(kInteractions0, at, 2, 1u << 20);
    ASSERT_TRUE(records.has_value()) << records.error().detail;
    EXPECT_EQ(records->front().offset, at);
    EXPECT_EQ(records->front().bytes, filler(at));
  }
}

TEST(EmbeddedLog, DropsATornTail) {
  for (const std::size_t lost : {1u, 31u, 200u, 430u}) {
    LogGround ground;
    { append_each(*ground.open(), 0, 5); }
    ground.cut_off(ground.segments().back(), lost);
    const auto log = ground.open();
    EXPECT_EQ(log->end(kInteractions0), 4) << lost;
    EXPECT_EQ(*log->append_and_wait({{kInteractions0, "u", "again"}}), std::vector<Offset>{4});
    EXPECT_EQ(texts(*log, kInteractions0).back(), "again");
  }
}

TEST(EmbeddedLog, DropsZerosAndNoiseBehindTheEnd) {
  for (const char byte : {'\0', 'x'}) {
    LogGround ground;
    { append_each(*ground.open(), 0, 3); }
    const auto path = ground.segments().back();
    const std::string whole = ground.files.bytes(path);
    ground.files.put(path, whole + std::string(5000, byte));
    EXPECT_EQ(ground.open()->end(kInteractions0), 3);
    EXPECT_EQ(ground.files.bytes(path), whole);
  }
}

TEST(EmbeddedLog, KeepsAnAppendWholeOrNotAtAll) {
  LogGround ground;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 1));
    ASSERT_TRUE(
        log->append_and_wait(
               {{kInteractions0, "u", "a"}, {kInteractions1, "u", "b"}, {kInteractions0, "u", "c"}})
            .has_value());
  }
  ground.cut_off(ground.segments().back(), 1);
  const auto log = ground.open();
  EXPECT_EQ(texts(*log, kInteractions0), Texts{filler(0)});
  EXPECT_EQ(log->end(kInteractions1), 0);
}

TEST(EmbeddedLog, RefusesADamagedMiddleOfTheNewestSegment) {
  LogGround ground;
  { append_each(*ground.open(), 0, 6); }
  const auto path = ground.segments().back();
  for (const std::size_t at : {100u, 90u, 600u, 1200u}) {  // headers and bytes of early records
    const std::string before = ground.files.bytes(path);
    ground.flip_byte(path, at);
    const auto log = ground.try_open();
    ASSERT_FALSE(log.has_value()) << at;
    EXPECT_EQ(log.error().code, Code::kCorrupt);
    EXPECT_NE(log.error().detail.find(path), std::string::npos);
    EXPECT_NE(log.error().detail.find("byte "), std::string::npos);
    ground.files.put(path, before);
  }
  EXPECT_EQ(ground.open()->end(kInteractions0), 6);
}

TEST(EmbeddedLog, RefusesAMissingOrShortenedMiddleSegment) {
  LogGround ground;
  { append_each(*ground.open(), 0, 80); }
  const auto segments = ground.segments();
  ASSERT_GE(segments.size(), 4u);
  const std::string second = ground.files.bytes(segments[1]);

  ground.files.take_away(segments[1]);
  EXPECT_EQ(ground.try_open().error().code, Code::kCorrupt);
  EXPECT_NE(ground.try_open().error().detail.find(segments[1]), std::string::npos);

  ground.files.put(segments[1], second.substr(0, second.size() - 440));
  EXPECT_EQ(ground.try_open().error().code, Code::kCorrupt);

  ground.files.put(segments[1], ground.files.bytes(segments[2]));
  EXPECT_EQ(ground.try_open().error().code, Code::kCorrupt);

  ground.files.put(segments[1], second);
  EXPECT_EQ(texts(*ground.open(), kInteractions0).size(), 80u);
}

TEST(EmbeddedLog, RefusesADamagedHeader) {
  LogGround ground;
  { append_each(*ground.open(), 0, 80); }
  for (const auto& path : ground.segments()) {
    ground.flip_byte(path, 30);
    EXPECT_EQ(ground.try_open().error().code, Code::kCorrupt);
    ground.flip_byte(path, 30);
  }
  ground.flip_byte(ground.segments().front(), 8);  // the format's number
  EXPECT_EQ(ground.try_open().error().code, Code::kInvalid);
}

TEST(EmbeddedLog, RefusesSegmentsOfAnotherLog) {
  LogGround ground, other;
  { append_each(*ground.open(), 0, 80); }
  { append_each(*other.open(), 0, 80); }
  const auto path = ground.segments()[1];
  ground.files.put(path, other.files.bytes(path));
  EXPECT_EQ(ground.try_open().error().code, Code::kCorrupt);
}

TEST(EmbeddedLog, ReportsADamagedMiddleSegmentOnReadingAndNothingBehindIt) {
  LogGround ground;
  { append_each(*ground.open(), 0, 80); }
  const auto path = ground.segments()[1];
  ground.flip_byte(path, ground.files.bytes(path).size() / 2);
  const auto log = ground.open();
  const Offset good = static_cast<Offset>(texts(*log, kInteractions0).size());
  EXPECT_GT(good, 10);
  EXPECT_LT(good, 60);
  for (const Offset from : {good, good + 1, Offset{79}}) {
    const auto records = log->read(kInteractions0, from, 10, 1u << 20);
    ASSERT_FALSE(records.has_value());
    EXPECT_EQ(records.error().code, Code::kCorrupt);
    EXPECT_NE(records.error().detail.find(path), std::string::npos);
  }
  EXPECT_EQ(log->read(kInteractions0, good - 1, 10, 1u << 20)->size(), 1u);
}

TEST(EmbeddedLog, TrimDeletesWholeSegmentsAndStartSurvives) {
  LogGround ground;
  Offset start = 0;
  {
    const auto log = ground.open();
    ASSERT_TRUE(append_each(*log, 0, 100));
    const auto before = ground.segments().size();
    const auto size = log->size_bytes();
    const std::pair<LogPartition, Offset> keep[] = {{kInteractions0, 70}};
    ASSERT_TRUE(log->trim(keep).has_value());
    start = log->start(kInteractions0);
    EXPECT_GT(start, 40);
    EXPECT_LE(start, 70);
    EXPECT_LE(ground.segments().size(), before / 2);
    EXPECT_LT(log->size_bytes(), size / 2);
    EXPECT_EQ(log->read(kInteractions0, start - 1, 1, 1).error().code, Code::kNotFound);
  }
  const auto log = ground.open();
  EXPECT_EQ(log->start(kInteractions0), start);
  EXPECT_EQ(texts(*log, kInteractions0, start).front(), filler(static_cast<int>(start)));
  EXPECT_EQ(log->end(kInteractions0), 100);
}

TEST(EmbeddedLog, RefusesAnotherNumberOfPartitions) {
  LogGround ground;
  { append_each(*ground.open(), 0, 1); }
  auto options = ground.options();
  options.interaction_partitions = 3;
  const auto log = EmbeddedLog::open(options);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, Code::kInvalid);
  EXPECT_EQ(log.error().field, "interaction_partitions");
  EXPECT_NE(log.error().detail.find("2 interaction partitions"), std::string::npos);
}

TEST(EmbeddedLog, RefusesOptionsThatDoNotFit) {
  LogGround ground;
  auto options = ground.options();
  options.max_record_bytes = options.max_group_bytes;
  EXPECT_EQ(EmbeddedLog::open(options).error().field, "max_record_bytes");
  options = ground.options();
  options.interaction_partitions = 0;
  EXPECT_EQ(EmbeddedLog::open(options).error().field, "interaction_partitions");
}

TEST(EmbeddedLog, OpensForReadingWithoutChangingAnything) {
  LogGround ground;
  auto options = ground.options();
  options.access = LogAccess::kRead;
  options.interaction_partitions = 16;
  EXPECT_EQ(EmbeddedLog::open(options).error().code, Code::kNotFound);
  { append_each(*ground.open(), 0, 30); }
  const auto path = ground.segments().back();
  ground.cut_off(path, 10);
  const auto bytes = ground.files.bytes(path);
  const auto names = ground.files.names();
  {
    const auto log = EmbeddedLog::open(options).value();
    EXPECT_EQ(log->interaction_partitions(), 2);
    EXPECT_EQ(texts(*log, kInteractions0).size(), 29u);
    EXPECT_EQ(log->append_and_wait({{kInteractions0, "u", "a"}}).error().code, Code::kUnavailable);
    EXPECT_FALSE(log->writable().has_value());
    EXPECT_FALSE(log->trim({}).has_value());
  }
  EXPECT_EQ(ground.files.bytes(path), bytes);
  EXPECT_EQ(ground.files.names(), names);
}

TEST(EmbeddedLog, GroupsWhatWaitsAndRefusesBeyondTheQueue) {
  LogGround ground;
  auto options = ground.options();
  options.max_queued_bytes = 10'000;
  const auto log = EmbeddedLog::open(options).value();
  ground.files.hold_syncs();
  const auto before = ground.files.syncs();
  std::atomic<int> kept = 0, refused = 0;
  const auto append = [&] {
    log->append({{kInteractions0, "u", filler(0)}}, [&](const AppendResult& result) {
      if (!result.has_value()) {
        EXPECT_EQ(result.error().code, Code::kExhausted);
      }
      ++(result.has_value() ? kept : refused);
    });
  };
  append();
  ASSERT_TRUE(eventually([&] { return ground.files.syncs() > before; }));
  for (int i = 0; i < 99; ++i) append();
  // 433 bytes each: 23 fit, of which the first is being written.
  EXPECT_TRUE(eventually([&] { return refused == 77; })) << "refusals wait for the disk";
  EXPECT_EQ(kept, 0);
  ground.files.release_syncs();
  EXPECT_TRUE(eventually([&] { return kept == 23; }));
  EXPECT_LE(ground.files.syncs() - before, 5u);
  EXPECT_EQ(log->end(kInteractions0), 23);
}

TEST(EmbeddedLog, WritesWhatIsQueuedBeforeItCloses) {
  LogGround ground;
  std::atomic<int> kept = 0;
  {
    const auto log = ground.open();
    for (int i = 0; i < 100; ++i) {
      log->append({{kInteractions0, "u", filler(i)}},
                  [&](const AppendResult& result) { kept += result.has_value(); });
    }
  }
  EXPECT_EQ(kept, 100);
  EXPECT_EQ(texts(*ground.open(), kInteractions0).size(), 100u);
}

TEST(EmbeddedLog, ReadersFollowAWriterAcrossSegmentsAndTrims) {
  LogGround ground;
  auto options = ground.options();
  options.tail_bytes = 2000;  // readers change between memory and files all the time
  const auto log = EmbeddedLog::open(options).value();
  constexpr Offset kRecords = 3000;
  std::vector<std::jthread> readers;
  for (const auto partition : {kInteractions0, kInteractions1}) {
    readers.emplace_back([&log, partition] {
      for (Offset at = 0; at < kRecords;) {
        if (!log->wait_beyond(partition, at, 20'000)) FAIL() << "no record " << at;
        const auto records = log->read(partition, at, 7, 1u << 20);
        ASSERT_TRUE(records.has_value()) << records.error().detail;
        for (const auto& record : *records) {
          ASSERT_EQ(record.offset, at);
          ASSERT_EQ(record.bytes, std::to_string(at));
          ++at;
        }
        if (at % 500 == 0) {
          const std::pair<LogPartition, Offset> keep[] = {{partition, at}};
          ASSERT_TRUE(log->trim(keep).has_value());
        }
      }
    });
  }
  for (Offset i = 0; i < kRecords; ++i) {
    const std::string text = std::to_string(i);
    log->append({{kInteractions0, "u", text}, {kInteractions1, "u", text}},
                [](const AppendResult& result) { ASSERT_TRUE(result.has_value()); });
  }
}

}  // namespace
}  // namespace millrace::ingest
