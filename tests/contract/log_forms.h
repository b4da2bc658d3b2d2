#pragma once
// The forms of the log that the contract runs over, each with the means to make it refuse.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/embedded_log.h"
#include "ingest/kafka_log.h"
#include "ingest/memory_log.h"
#include "tests/support/eventually.h"
#include "tests/support/faulty_files.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_mock.h"
#include "tests/support/temp_dir.h"

namespace millrace::ingest {

inline constexpr std::size_t kMaxRecord = 4096;
inline constexpr std::size_t kTail = 1u << 20, kNoTail = 0;
inline constexpr std::size_t kAll = 1'000'000;
inline constexpr int kPatience = 20'000;  // ms: a deadline, never a pause
inline constexpr LogPartition kFirst{Topic::kInteractions, 0};
inline constexpr LogPartition kSecond{Topic::kInteractions, 1};

// A log under test and what it stands on, with the means to make it refuse.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual EventLog& log() = 0;
  virtual void stop_accepting() = 0;
  virtual void accept_again() = 0;
  virtual bool keeps_exactly_from_trim() const { return false; }
  virtual bool trims() const { return true; }
  virtual bool tells_our_time() const { return true; }
  ManualClock clock{1'000'000};
};

class MemoryForm final : public LogUnderTest {
 public:
  EventLog& log() override { return log_; }
  void stop_accepting() override { log_.refuse_appends("test"); }
  void accept_again() override { log_.accept_appends(); }
  bool keeps_exactly_from_trim() const override { return true; }

 private:
  MemoryLog log_{clock, 4, kMaxRecord};
};

class EmbeddedForm final : public LogUnderTest {
 public:
  enum class Disk { kReal, kFaulty };
  EmbeddedForm(std::size_t tail_bytes, Disk disk)
      : files_(disk == Disk::kFaulty ? std::make_unique<FaultyFiles>() : nullptr) {
    log_ = EmbeddedLog::open({.directory = files_ ? "/log" : (directory_.path() / "log").string(),
                              .segment_bytes = 32u << 10,
                              .max_record_bytes = kMaxRecord,
                              .tail_bytes = tail_bytes,
                              .durability = Durability::kOs,
                              .probe_ms = 5,
                              .files = files_.get(),
                              .metrics = &metrics_,
                              .clock = &clock})
               .value();
  }
  EventLog& log() override { return *log_; }
  void stop_accepting() override {
    if (files_ == nullptr) GTEST_SKIP() << "a real disk is not filled up here";
    files_->limit_space(0);
  }
  void accept_again() override {
    if (files_ != nullptr) files_->limit_space(1u << 30);
  }

 private:
  std::unique_ptr<FaultyFiles> files_;
  TempDir directory_;
  Metrics metrics_;
  std::unique_ptr<EmbeddedLog> log_;
};

// Over librdkafka's mock cluster, or a real broker with topics of this test's own.
class KafkaForm : public LogUnderTest {
 public:
  EventLog& log() override { return *log_; }
  void stop_accepting() override {
    // Only what has arrived can be read while no broker is there.
    log_->read(kFirst, 0, kAll, kAll).value();
    stop_brokers();
    ASSERT_TRUE(eventually([this] { return !log_->writable().has_value(); }));
  }
  void accept_again() override { start_brokers(); }
  bool trims() const override { return false; }
  bool tells_our_time() const override { return false; }

 protected:
  virtual void stop_brokers() = 0;
  virtual void start_brokers() = 0;
  void open(std::string bootstrap, std::string prefix, bool check_topics) {
    auto opened = KafkaLog::open({.connection = {std::move(bootstrap), {}},
                                  .prefix = std::move(prefix),
                                  .interaction_partitions = 4,
                                  .max_record_bytes = kMaxRecord,
                                  .append_deadline_ms = kPatience,
                                  .unwritable_after_ms = 1'500,
                                  .arrive_ms = kPatience,
                                  .check_topics = check_topics,
                                  .metrics = &metrics_});
    if (!opened) throw std::runtime_error(opened.error().detail);
    log_ = *std::move(opened);
  }
  void close() { log_.reset(); }

 private:
  Metrics metrics_;
  std::unique_ptr<KafkaLog> log_;
};

class KafkaMockForm final : public KafkaForm {
 public:
  KafkaMockForm() {
    mock_.make_topic("interactions", 4);
    mock_.make_topic("catalog", 1);
    open(mock_.bootstrap(), "", false);
  }
  ~KafkaMockForm() override { close(); }

 private:
  void stop_brokers() override { mock_.stop_brokers(); }
  void start_brokers() override { mock_.start_brokers(); }
  KafkaMock mock_{2};
};

class KafkaBrokerForm final : public KafkaForm {
 public:
  KafkaBrokerForm() {
    auto& broker = KafkaBroker::shared();
    open(broker.bootstrap(), broker.unique_prefix(), true);
  }
  ~KafkaBrokerForm() override { KafkaBroker::shared().thaw(); }

 private:
  void stop_brokers() override { KafkaBroker::shared().freeze(); }
  void start_brokers() override { KafkaBroker::shared().thaw(); }
};

struct Form {
  const char* name;
  std::function<std::unique_ptr<LogUnderTest>()> make;
  std::function<std::string()> missing = [] { return std::string(); };  // why it must be skipped
};

}  // namespace millrace::ingest
