// What KafkaLog does beside the contract: topics, errors of brokers, fetching, damage.
#include "ingest/kafka_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_mock.h"

namespace millrace::ingest {
namespace {

constexpr LogPartition kFirst{Topic::kInteractions, 0};

std::string number(int i) { return std::to_string(i); }

std::vector<std::string> texts(const EventLog& log, LogPartition partition, std::size_t count) {
  std::vector<std::string> out;
  Offset from = log.start(partition);
  eventually([&] {
    const auto records = log.read(partition, from, 1000, 1u << 20).value();
    for (const auto& record : records) {
      out.push_back(record.bytes);
      from = record.offset + 1;
    }
    return out.size() >= count;
  });
  return out;
}

class KafkaLogMock : public testing::Test {
 protected:
  KafkaLogMock() {
    mock_.make_topic("interactions", 4);
    mock_.make_topic("catalog", 1);
  }
  KafkaLogOptions options() {
    KafkaLogOptions options;
    options.connection.bootstrap = mock_.bootstrap();
    options.arrive_ms = 10'000;
    options.check_topics = false;
    options.metrics = &metrics_;
    return options;
  }
  std::unique_ptr<KafkaLog> open(int deadline_ms = 20'000, int unwritable_after_ms = 20'000) {
    auto chosen = options();
    chosen.append_deadline_ms = deadline_ms;
    chosen.unwritable_after_ms = unwritable_after_ms;
    return KafkaLog::open(chosen).value();
  }
  double replaced() { return metrics_.counter("kafka_producers_replaced_total", "").value(); }

  KafkaMock mock_{1};
  Metrics metrics_;
};

TEST_F(KafkaLogMock, ErrorsThatPassAreTriedAgain) {
  const auto log = open();
  mock_.fail_produce({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
  EXPECT_EQ(log->append_and_wait({{kFirst, "u", "a"}, {kFirst, "u", "b"}}).value().size(), 2u);
  EXPECT_EQ(texts(*log, kFirst, 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(replaced(), 0);
}

// One that librdkafka calls fatal, one that it calls the record's own: both need a new producer.
TEST_F(KafkaLogMock, AProducerThatEndsIsReplacedAndNothingIsLost) {
  const auto log = open();
  ASSERT_TRUE(log->append_and_wait({{kFirst, "u", "before"}}).has_value());
  std::size_t sent = 1;
  for (const auto error :
       {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}) {
    const auto replaced_before = replaced();
    mock_.fail_produce({error});
    std::atomic<int> answered = 0;
    for (int i = 0; i < 100; ++i) {
      log->append({{kFirst, "u", number(static_cast<int>(sent++))}}, [&](AppendResult result) {
        if (result.has_value()) ++answered;
      });
    }
    ASSERT_TRUE(eventually([&] { return answered == 100; }, std::chrono::seconds(30))) << answered;
    EXPECT_EQ(replaced(), replaced_before + 1);
  }
  // Each is there, maybe twice.
  std::set<std::string> seen;
  for (const auto& text : texts(*log, kFirst, sent)) seen.insert(text);
  EXPECT_EQ(seen.size(), sent);
}

TEST_F(KafkaLogMock, AnAcknowledgementWithoutAnOffsetGetsTheEnd) {
  const auto log = open();
  ASSERT_TRUE(log->append_and_wait({{kFirst, "u", "a"}, {kFirst, "u", "b"}}).has_value());
  mock_.fail_produce({RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER});
  // The mock says "had that already" of a record that it does not have.
  const auto offsets = log->append_and_wait({{kFirst, "u", "c"}});
  ASSERT_TRUE(offsets.has_value()) << offsets.error().detail;
  EXPECT_EQ(*offsets, std::vector<Offset>{1});
}

TEST_F(KafkaLogMock, AnAppendIsAnsweredByItsDeadlineAndWrittenAllTheSame) {
  const auto log = open(300);
  ASSERT_TRUE(log->append_and_wait({{kFirst, "u", "before"}}).has_value());
  mock_.stop_brokers();
  const auto late = log->append_and_wait({{kFirst, "u", "late"}});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Code::kUnavailable);
  EXPECT_NE(late.error().detail.find("outcome unknown"), std::string::npos) << late.error().detail;
  mock_.start_brokers();
  EXPECT_EQ(texts(*log, kFirst, 2), (std::vector<std::string>{"before", "late"}));
}

TEST_F(KafkaLogMock, RefusesWhatDoesNotFitItsQueue) {
  auto small = options();
  small.max_queued_bytes = 100;
  small.append_deadline_ms = 300;
  small.unwritable_after_ms = 60'000;
  const auto log = KafkaLog::open(small).value();
  mock_.stop_brokers();
  std::atomic<bool> told = false;
  log->append({{kFirst, "u", std::string(90, 'x')}}, [&](const AppendResult&) { told = true; });
  const auto refused = log->append_and_wait({{kFirst, "u", std::string(20, 'y')}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kExhausted);
  ASSERT_TRUE(eventually([&] { return told.load(); }));
  mock_.start_brokers();
}

class KafkaLogBroker : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    prefix_ = KafkaBroker::shared().unique_prefix();
  }
  KafkaLogOptions options() {
    KafkaLogOptions options;
    options.connection.bootstrap = KafkaBroker::shared().bootstrap();
    options.prefix = prefix_;
    options.arrive_ms = 10'000;
    options.metrics = &metrics_;
    return options;
  }
  std::string prefix_;
  Metrics metrics_;
};

TEST_F(KafkaLogBroker, TopicsAreMadeOnceAndFoundAgain) {
  {
    const auto log = KafkaLog::open(options()).value();
    EXPECT_EQ(log->interaction_partitions(), 16);
    ASSERT_TRUE(log->append_and_wait({{{Topic::kInteractions, 15}, "u", "a"}}).has_value());
  }
  const auto again = KafkaLog::open(options()).value();
  EXPECT_EQ(again->end({Topic::kInteractions, 15}), 1);
  EXPECT_EQ(texts(*again, {Topic::kInteractions, 15}, 1), std::vector<std::string>{"a"});
  auto other = options();
  other.interaction_partitions = 8;
  const auto refused = KafkaLog::open(other);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("partitions is 16, must be 8"), std::string::npos)
      << refused.error().detail;
}

TEST_F(KafkaLogBroker, ATopicThatDiffersIsRefusedAndSaidHow) {
  KafkaBroker::shared().make_topic(prefix_ + "interactions", 2,
                                   {{"cleanup.policy", "compact"}, {"max.message.bytes", "1000"}});
  const auto refused = KafkaLog::open(options());
  ASSERT_FALSE(refused.has_value());
  const auto& detail = refused.error().detail;
  for (const auto* part : {"cleanup.policy is compact, must be delete",
                           "message.timestamp.type is CreateTime, must be LogAppendTime",
                           "max.message.bytes is 1000, must be at least"}) {
    EXPECT_NE(detail.find(part), std::string::npos) << detail;
  }
}

TEST_F(KafkaLogBroker, PropertiesPassThroughButNotOurs) {
  auto with = options();
  with.connection.properties = {{"acks", "1"}};
  EXPECT_NE(KafkaLog::open(with).error().detail.find("acks is set by Millrace"), std::string::npos);
  with.connection.properties = {{"no.such.thing", "1"}};
  EXPECT_NE(KafkaLog::open(with).error().detail.find("no.such.thing"), std::string::npos);
  with.connection.properties = {{"client.id", "me"}, {"security.protocol", "plaintext"}};
  EXPECT_TRUE(KafkaLog::open(with).has_value());
}

TEST_F(KafkaLogBroker, NoBrokerIsSaidWithinTheDeadline) {
  KafkaLogOptions nowhere = options();
  nowhere.connection.bootstrap = "127.0.0.1:1";
  const auto refused = KafkaLog::open(nowhere);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

// More than all queues hold: the fetcher stops and must go on by itself.
TEST_F(KafkaLogBroker, ReadsALongLogWithSmallBuffers) {
  constexpr int kRecords = 40'000;
  auto small = options();
  small.interaction_partitions = 2;
  small.buffer_bytes = 1u << 20;
  const auto log = KafkaLog::open(small).value();
  for (int i = 0; i < kRecords; i += 1000) {
    std::vector<Append> records;
    for (int k = i; k < i + 1000; ++k) {
      records.push_back(
          {{Topic::kInteractions, static_cast<std::uint16_t>(k % 2)}, "u", number(k)});
    }
    ASSERT_TRUE(log->append_and_wait(std::move(records)).has_value());
  }
  for (std::uint16_t p = 0; p < 2; ++p) {
    const auto all = texts(*log, {Topic::kInteractions, p}, kRecords / 2);
    ASSERT_EQ(all.size(), std::size_t{kRecords / 2});
    for (int i = 0; i < kRecords / 2; ++i)
      ASSERT_EQ(all[static_cast<std::size_t>(i)], number(2 * i + p));
  }
  // Again from anywhere.
  for (const Offset at : {15'000, 3, 19'999, 10'000}) {
    const auto one = log->read(kFirst, at, 1, 1).value();
    ASSERT_EQ(one.size(), 1u) << at;
    EXPECT_EQ(one.front().offset, at);
  }
}

// Kafka keeps its files in the page cache: what a broker had acknowledged is there after SIGKILL.
TEST_F(KafkaLogBroker, GoesOnAfterTheBrokerDied) {
  const auto log = KafkaLog::open(options()).value();
  ASSERT_TRUE(log->append_and_wait({{kFirst, "u", "before"}}).has_value());
  KafkaBroker::shared().restart();
  ASSERT_TRUE(eventually([&] { return log->writable().has_value(); }, std::chrono::seconds(30)));
  ASSERT_TRUE(eventually(
      [&] {
        return log->append_and_wait({{kFirst, "u", "after"}}).has_value();
      },
      std::chrono::seconds(60)));
  const auto all = texts(*log, kFirst, 2);
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(all.front(), "before");
  EXPECT_EQ(all.back(), "after");
}

TEST_F(KafkaLogBroker, DamageIsNotPassedOver) {
  {
    const auto log = KafkaLog::open(options()).value();
    for (const auto* text : {"first", "second", "third"}) {
      ASSERT_TRUE(log->append_and_wait({{kFirst, "u", text}}).has_value());
    }
  }
  const auto file =
      KafkaBroker::shared().data() / (prefix_ + "interactions-0") / "00000000000000000000.log";
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(bytes), {}};
  const auto at = content.find("second");
  ASSERT_NE(at, std::string::npos);
  bytes.clear();
  bytes.seekp(static_cast<std::streamoff>(at)).put('S').flush();
  const auto log = KafkaLog::open(options()).value();
  const auto first = log->read(kFirst, 0, 1, 1);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->at(0).bytes, "first");
  for (const Offset at_offset : {1, 2, 1}) {
    const auto damaged = log->read(kFirst, at_offset, 10, 1000);
    ASSERT_FALSE(damaged.has_value());
    EXPECT_EQ(damaged.error().code, Code::kCorrupt) << damaged.error().detail;
  }
}

TEST_F(KafkaLogBroker, WhatKafkaDroppedIsNotFound) {
  const auto log = KafkaLog::open(options()).value();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(log->append_and_wait({{kFirst, "u", number(i)}}).has_value());
  }
  KafkaBroker::shared().delete_records_before(prefix_ + "interactions", 0, 6);
  ASSERT_TRUE(eventually([&] { return log->start(kFirst) == 6; }, std::chrono::seconds(30)));
  EXPECT_EQ(log->read(kFirst, 2, 1, 1).error().code, Code::kNotFound);
  EXPECT_EQ(log->read(kFirst, 6, 1, 1).value().at(0).bytes, "6");
}

}  // namespace
}  // namespace millrace::ingest
