// One contract for every form of the log. A new form is one line in the list at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/metrics.h"
#include "ingest/embedded_log.h"
#include "ingest/memory_log.h"
#include "tests/support/faulty_files.h"
#include "tests/support/temp_dir.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kMaxRecord = 4096;
constexpr std::size_t kTail = 1u << 20, kNoTail = 0;
constexpr std::size_t kAll = 1'000'000;
constexpr int kPatience = 20'000;  // ms: a deadline, never a pause
constexpr LogPartition kFirst{Topic::kInteractions, 0};
constexpr LogPartition kSecond{Topic::kInteractions, 1};

// A log under test and what it stands on, with the means to make it refuse.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual EventLog& log() = 0;
  virtual void stop_accepting() = 0;
  virtual void accept_again() = 0;
  virtual bool keeps_exactly_from_trim() const { return false; }
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

struct Form {
  const char* name;
  std::function<std::unique_ptr<LogUnderTest>()> make;
};

class EventLogContract : public testing::TestWithParam<Form> {
 protected:
  EventLogContract() : under_test_(GetParam().make()), log_(under_test_->log()) {}

  std::vector<std::string> texts(LogPartition partition, Offset from = 0) {
    std::vector<std::string> out;
    for (;;) {
      const auto records = log_.read(partition, from, kAll, 10'000);
      EXPECT_TRUE(records.has_value()) << records.error().detail;
      if (!records.has_value() || records->empty()) return out;
      for (const auto& record : *records) {
        EXPECT_EQ(record.offset, from++);
        out.push_back(record.bytes);
      }
    }
  }

  std::unique_ptr<LogUnderTest> under_test_;
  EventLog& log_;
};

TEST_P(EventLogContract, StartsEmpty) {
  EXPECT_EQ(log_.interaction_partitions(), 4);
  for (const auto partition : {kFirst, kSecond, kCatalogPartition}) {
    EXPECT_EQ(log_.start(partition), 0);
    EXPECT_EQ(log_.end(partition), 0);
    EXPECT_TRUE(log_.read(partition, 0, kAll, kAll)->empty());
  }
  EXPECT_TRUE(log_.writable().has_value());
}

TEST_P(EventLogContract, KeepsOrderWithinEachPartition) {
  const auto offsets = log_.append_and_wait(
      {{kFirst, "u", "a"}, {kCatalogPartition, "", "x"}, {kFirst, "u", "b"}, {kSecond, "v", ""}});
  ASSERT_TRUE(offsets.has_value());
  EXPECT_EQ(*offsets, (std::vector<Offset>{0, 0, 1, 0}));
  ASSERT_EQ(*log_.append_and_wait({{kFirst, "u", "c"}}), std::vector<Offset>{2});
  EXPECT_EQ(texts(kFirst), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(texts(kSecond), std::vector<std::string>{""});
  EXPECT_EQ(texts(kCatalogPartition), std::vector<std::string>{"x"});
}

TEST_P(EventLogContract, AppendsNothingWhenOneRecordIsTooLarge) {
  const auto result = log_.append_and_wait(
      {{kFirst, "u", "good"}, {kSecond, "u", std::string(kMaxRecord + 1, 'x')}});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::kTooLarge);
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", std::string(kMaxRecord, 'y')}}).has_value());
  EXPECT_EQ(log_.end(kFirst), 1);
  EXPECT_EQ(log_.end(kSecond), 0);
  EXPECT_EQ(texts(kFirst).front()[0], 'y');
}

TEST_P(EventLogContract, RefusesUnknownPartitions) {
  const LogPartition none{Topic::kInteractions, 99};
  EXPECT_EQ(log_.append_and_wait({{kFirst, "u", "a"}, {none, "u", "b"}}).error().code,
            Code::kInvalid);
  EXPECT_EQ(log_.read(none, 0, 1, 1).error().code, Code::kInvalid);
  EXPECT_EQ(log_.end(kFirst), 0);
}

TEST_P(EventLogContract, AnswersAnEmptyAppend) {
  EXPECT_EQ(log_.append_and_wait({})->size(), 0u);
  EXPECT_EQ(log_.end(kFirst), 0);
}

TEST_P(EventLogContract, IsReadableOnceAnswered) {
  for (int i = 0; i < 50; ++i) {
    const auto at = log_.append_and_wait({{kFirst, "u", std::to_string(i)}}).value().front();
    ASSERT_GT(log_.end(kFirst), at);
    const auto records = log_.read(kFirst, at, 1, 1);
    ASSERT_TRUE(records.has_value());
    ASSERT_EQ(records->at(0).bytes, std::to_string(i));
  }
}

TEST_P(EventLogContract, KeepsTheLimitsOfARead) {
  std::vector<Append> records(20, {kFirst, "u", std::string(100, 'r')});
  ASSERT_TRUE(log_.append_and_wait(std::move(records)).has_value());
  EXPECT_EQ(log_.read(kFirst, 0, 7, kAll)->size(), 7u);
  EXPECT_EQ(log_.read(kFirst, 0, kAll, 1)->size(), 1u);
  EXPECT_LE(log_.read(kFirst, 0, kAll, 1000)->size(), 11u);
  EXPECT_GE(log_.read(kFirst, 0, kAll, 1000)->size(), 9u);
  EXPECT_EQ(log_.read(kFirst, 5, kAll, kAll)->size(), 15u);
  EXPECT_EQ(log_.read(kFirst, 5, kAll, kAll)->front().offset, 5);
  EXPECT_TRUE(log_.read(kFirst, 20, kAll, kAll)->empty());
  EXPECT_TRUE(log_.read(kFirst, 99, kAll, kAll)->empty());
  EXPECT_TRUE(log_.read(kFirst, 0, 0, kAll)->empty());
}

TEST_P(EventLogContract, AppendTimeNeverFalls) {
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "a"}}).has_value());
  under_test_->clock.advance(5000);
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "b"}}).has_value());
  under_test_->clock.advance(-60'000);
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "c"}}).has_value());
  const auto records = log_.read(kFirst, 0, kAll, kAll).value();
  EXPECT_EQ(records[0].append_time, 1'000'000);
  EXPECT_EQ(records[1].append_time, 1'005'000);
  EXPECT_EQ(records[2].append_time, 1'005'000);
}

TEST_P(EventLogContract, WaitsForNewRecords) {
  EXPECT_FALSE(log_.wait_beyond(kFirst, 0, 1));
  std::atomic<bool> reached = false;
  std::jthread waiter([&] { reached = log_.wait_beyond(kFirst, 1, kPatience); });
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "a"}, {kFirst, "u", "b"}}).has_value());
  waiter.join();
  EXPECT_TRUE(reached);
  EXPECT_TRUE(log_.wait_beyond(kFirst, 0, 0));
}

TEST_P(EventLogContract, WakeAllEndsWaiting) {
  std::atomic<bool> done = false;
  std::jthread waiter([&] {
    EXPECT_FALSE(log_.wait_beyond(kFirst, 0, kPatience));
    done = true;
  });
  while (!done) {  // the waiter may not have begun to wait when the first call comes
    log_.wake_all();
    std::this_thread::yield();
  }
}

TEST_P(EventLogContract, ConcurrentAppendersKeepTheirOwnOrder) {
  constexpr int kThreads = 4, kEach = 200;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const std::string text = std::to_string(t) + ":" + std::to_string(i);
          const auto offsets = log_.append_and_wait({{kFirst, "u", text}, {kSecond, "u", text}});
          ASSERT_TRUE(offsets.has_value());
          ASSERT_EQ(log_.read(kFirst, offsets->at(0), 1, 1)->at(0).bytes, text);
          ASSERT_EQ(log_.read(kSecond, offsets->at(1), 1, 1)->at(0).bytes, text);
        }
      });
    }
  }
  for (const auto partition : {kFirst, kSecond}) {
    const auto all = texts(partition);
    ASSERT_EQ(all.size(), std::size_t{kThreads * kEach});
    for (int t = 0; t < kThreads; ++t) {
      int next = 0;
      for (const auto& text : all) {
        if (text.starts_with(std::to_string(t) + ":")) {
          EXPECT_EQ(text, std::to_string(t) + ":" + std::to_string(next++));
        }
      }
      EXPECT_EQ(next, kEach);
    }
  }
}

TEST_P(EventLogContract, EachAppendIsAnsweredOnceAndInOrder) {
  constexpr int kAppends = 500;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Offset> answers;
  for (int i = 0; i < kAppends; ++i) {
    log_.append({{kFirst, "u", std::to_string(i)}}, [&](AppendResult result) {
      const std::lock_guard lock(mutex);
      answers.push_back(result.value().front());
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::milliseconds(kPatience),
                               [&] { return answers.size() == kAppends; }));
  EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
  EXPECT_EQ(answers.back(), kAppends - 1);
}

TEST_P(EventLogContract, TellsWhenSomethingBecameDurable) {
  std::atomic<Offset> seen = 0;
  log_.on_durable([&] { seen = log_.end(kFirst); });
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "a"}}).has_value());
  EXPECT_EQ(seen, 1);
}

TEST_P(EventLogContract, TrimForgetsOnlyWhatMayGo) {
  const std::string filler(1000, 'f');
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", filler}, {kSecond, "u", filler}}).has_value());
  }
  const std::pair<LogPartition, Offset> only_first[] = {{kFirst, 80}};
  ASSERT_TRUE(log_.trim(only_first).has_value());
  EXPECT_EQ(log_.start(kSecond), 0);
  EXPECT_EQ(log_.read(kSecond, 0, 1, 1)->size(), 1u);
  const std::pair<LogPartition, Offset> both[] = {{kFirst, 80}, {kSecond, 60}};
  ASSERT_TRUE(log_.trim(both).has_value());
  EXPECT_LE(log_.start(kFirst), 80);
  EXPECT_LE(log_.start(kSecond), 60);
  EXPECT_GT(log_.start(kSecond), 0);
  EXPECT_GT(log_.start(kFirst), 0);
  if (under_test_->keeps_exactly_from_trim()) {
    EXPECT_EQ(log_.start(kFirst), 80);
  }
  EXPECT_EQ(log_.read(kFirst, log_.start(kFirst) - 1, 1, 1).error().code, Code::kNotFound);
  EXPECT_EQ(texts(kFirst, log_.start(kFirst)).size(),
            static_cast<std::size_t>(100 - log_.start(kFirst)));
  EXPECT_EQ(*log_.append_and_wait({{kFirst, "u", "next"}}), std::vector<Offset>{100});
}

TEST_P(EventLogContract, RefusesWhileNotWritableAndReadsGoOn) {
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "before"}}).has_value());
  under_test_->stop_accepting();
  if (IsSkipped()) return;
  const auto refused = log_.append_and_wait({{kFirst, "u", "during"}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_FALSE(log_.writable().has_value());
  EXPECT_FALSE(log_.writable().error().detail.empty());
  EXPECT_EQ(texts(kFirst), std::vector<std::string>{"before"});
  under_test_->accept_again();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatience);
  while (!log_.writable().has_value() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  ASSERT_TRUE(log_.append_and_wait({{kFirst, "u", "after"}}).has_value());
  EXPECT_EQ(texts(kFirst), (std::vector<std::string>{"before", "after"}));
}

template <class T, class... Args>
std::function<std::unique_ptr<LogUnderTest>()> making(Args... args) {
  return [args...] { return std::make_unique<T>(args...); };
}

INSTANTIATE_TEST_SUITE_P(
    Forms, EventLogContract,
    testing::Values(
        Form{"Memory", making<MemoryForm>()},
        Form{"Embedded", making<EmbeddedForm>(kTail, EmbeddedForm::Disk::kReal)},
        Form{"EmbeddedReadingFiles", making<EmbeddedForm>(kNoTail, EmbeddedForm::Disk::kReal)},
        Form{"EmbeddedOnFaultyFiles", making<EmbeddedForm>(kNoTail, EmbeddedForm::Disk::kFaulty)}),
    [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace millrace::ingest
