// One contract for every form of the log. A new form is one line in the list at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "tests/contract/log_forms.h"

namespace millrace::ingest {
namespace {

class EventLogContract : public testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    const auto missing = GetParam().missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    under_test_ = GetParam().make();
    log_ = &under_test_->log();
  }

  std::vector<StoredRecord> records(LogPartition partition, Offset from = 0) {
    std::vector<StoredRecord> out;
    for (;;) {
      auto some = log_->read(partition, from, kAll, 10'000);
      EXPECT_TRUE(some.has_value()) << some.error().detail;
      if (!some.has_value() || some->empty()) return out;
      for (auto& record : *some) {
        EXPECT_EQ(record.offset, from++);
        out.push_back(std::move(record));
      }
    }
  }

  std::vector<std::string> texts(LogPartition partition, Offset from = 0) {
    std::vector<std::string> out;
    for (auto& record : records(partition, from)) out.push_back(std::move(record.bytes));
    return out;
  }

  std::unique_ptr<LogUnderTest> under_test_;
  EventLog* log_ = nullptr;
};

TEST_P(EventLogContract, StartsEmpty) {
  EXPECT_EQ(log_->interaction_partitions(), 4);
  for (const auto partition : {kFirst, kSecond, kCatalogPartition}) {
    EXPECT_EQ(log_->start(partition), 0);
    EXPECT_EQ(log_->end(partition), 0);
    EXPECT_TRUE(log_->read(partition, 0, kAll, kAll)->empty());
  }
  EXPECT_TRUE(log_->writable().has_value());
}

TEST_P(EventLogContract, KeepsOrderWithinEachPartition) {
  const auto offsets = log_->append_and_wait(
      {{kFirst, "u", "a"}, {kCatalogPartition, "", "x"}, {kFirst, "u", "b"}, {kSecond, "v", ""}});
  ASSERT_TRUE(offsets.has_value());
  EXPECT_EQ(*offsets, (std::vector<Offset>{0, 0, 1, 0}));
  ASSERT_EQ(*log_->append_and_wait({{kFirst, "u", "c"}}), std::vector<Offset>{2});
  EXPECT_EQ(texts(kFirst), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(texts(kSecond), std::vector<std::string>{""});
  EXPECT_EQ(texts(kCatalogPartition), std::vector<std::string>{"x"});
}

TEST_P(EventLogContract, AppendsNothingWhenOneRecordIsTooLarge) {
  const auto result = log_->append_and_wait(
      {{kFirst, "u", "good"}, {kSecond, "u", std::string(kMaxRecord + 1, 'x')}});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::kTooLarge);
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", std::string(kMaxRecord, 'y')}}).has_value());
  EXPECT_EQ(log_->end(kFirst), 1);
  EXPECT_EQ(log_->end(kSecond), 0);
  EXPECT_EQ(texts(kFirst).front()[0], 'y');
}

TEST_P(EventLogContract, RefusesUnknownPartitions) {
  const LogPartition none{Topic::kInteractions, 99};
  EXPECT_EQ(log_->append_and_wait({{kFirst, "u", "a"}, {none, "u", "b"}}).error().code,
            Code::kInvalid);
  EXPECT_EQ(log_->read(none, 0, 1, 1).error().code, Code::kInvalid);
  EXPECT_EQ(log_->end(kFirst), 0);
}

TEST_P(EventLogContract, AnswersAnEmptyAppend) {
  EXPECT_EQ(log_->append_and_wait({})->size(), 0u);
  EXPECT_EQ(log_->end(kFirst), 0);
}

TEST_P(EventLogContract, IsReadableOnceAnswered) {
  for (int i = 0; i < 50; ++i) {
    const auto at = log_->append_and_wait({{kFirst, "u", std::to_string(i)}}).value().front();
    ASSERT_GT(log_->end(kFirst), at);
    const auto records = log_->read(kFirst, at, 1, 1);
    ASSERT_TRUE(records.has_value());
    ASSERT_EQ(records->at(0).bytes, std::to_string(i));
  }
}

TEST_P(EventLogContract, KeepsTheLimitsOfARead) {
  ASSERT_TRUE(log_->append_and_wait(std::vector<Append>(20, {kFirst, "u", std::string(100, 'r')}))
                  .has_value());
  ASSERT_EQ(records(kFirst).size(), 20u);  // all of them have arrived
  EXPECT_EQ(log_->read(kFirst, 0, 7, kAll)->size(), 7u);
  EXPECT_EQ(log_->read(kFirst, 0, kAll, 1)->size(), 1u);
  EXPECT_LE(log_->read(kFirst, 0, kAll, 1000)->size(), 11u);
  EXPECT_GE(log_->read(kFirst, 0, kAll, 1000)->size(), 9u);
  EXPECT_EQ(log_->read(kFirst, 5, kAll, kAll)->size(), 15u);
  EXPECT_EQ(log_->read(kFirst, 5, kAll, kAll)->front().offset, 5);
  EXPECT_TRUE(log_->read(kFirst, 20, kAll, kAll)->empty());
  EXPECT_TRUE(log_->read(kFirst, 99, kAll, kAll)->empty());
  EXPECT_TRUE(log_->read(kFirst, 0, 0, kAll)->empty());
}

TEST_P(EventLogContract, AppendTimeNeverFalls) {
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "a"}}).has_value());
  under_test_->clock.advance(5000);
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "b"}}).has_value());
  under_test_->clock.advance(-60'000);
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "c"}}).has_value());
  const auto all = records(kFirst);
  ASSERT_EQ(all.size(), 3u);
  if (!under_test_->tells_our_time()) {
    EXPECT_LE(std::abs(all[2].append_time - SystemClock().now()), kPatience);
    EXPECT_LE(all[0].append_time, all[1].append_time);
    EXPECT_LE(all[1].append_time, all[2].append_time);
    return;
  }
  EXPECT_EQ(all[0].append_time, 1'000'000);
  EXPECT_EQ(all[1].append_time, 1'005'000);
  EXPECT_EQ(all[2].append_time, 1'005'000);
}

TEST_P(EventLogContract, AFreshEndHoldsAllThatWasAppended) {
  const auto ask = [this] {
    auto promise = std::make_shared<std::promise<std::optional<Position>>>();
    auto answer = promise->get_future();
    log_->fresh_end([promise](std::optional<Position> end) { promise->set_value(std::move(end)); });
    return answer;
  };
  EXPECT_TRUE(ask().get().value().empty());
  Position expected;
  for (int i = 0; i < 20; ++i) {
    const auto offsets = log_->append_and_wait({{kFirst, "u", "a"}, {kCatalogPartition, "", "b"}});
    expected.include(kFirst, offsets->at(0));
    expected.include(kCatalogPartition, offsets->at(1));
    ASSERT_EQ(ask().get().value(), expected);
  }
  std::vector<std::future<std::optional<Position>>> many;
  for (int i = 0; i < 200; ++i) many.push_back(ask());
  for (auto& answer : many) EXPECT_EQ(answer.get().value(), expected);
}

TEST_P(EventLogContract, WaitsForNewRecords) {
  EXPECT_FALSE(log_->wait_beyond(kFirst, 0, 1));
  std::atomic<bool> reached = false;
  std::jthread waiter([&] { reached = log_->wait_beyond(kFirst, 1, kPatience); });
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "a"}, {kFirst, "u", "b"}}).has_value());
  waiter.join();
  EXPECT_TRUE(reached);
  EXPECT_TRUE(log_->wait_beyond(kFirst, 0, 0));
}

TEST_P(EventLogContract, WakeAllEndsWaiting) {
  std::atomic<bool> done = false;
  std::jthread waiter([&] {
    EXPECT_FALSE(log_->wait_beyond(kFirst, 0, kPatience));
    done = true;
  });
  while (!done) {  // the waiter may not have begun to wait when the first call comes
    log_->wake_all();
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
          const auto offsets = log_->append_and_wait({{kFirst, "u", text}, {kSecond, "u", text}});
          ASSERT_TRUE(offsets.has_value());
          ASSERT_EQ(log_->read(kFirst, offsets->at(0), 1, 1)->at(0).bytes, text);
          ASSERT_EQ(log_->read(kSecond, offsets->at(1), 1, 1)->at(0).bytes, text);
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
    log_->append({{kFirst, "u", std::to_string(i)}}, [&](AppendResult result) {
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
  log_->on_durable([&] { seen = log_->end(kFirst); });
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "a"}}).has_value());
  EXPECT_EQ(seen, 1);
}

TEST_P(EventLogContract, TrimForgetsOnlyWhatMayGo) {
  const std::string filler(1000, 'f');
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", filler}, {kSecond, "u", filler}}).has_value());
  }
  const std::pair<LogPartition, Offset> only_first[] = {{kFirst, 80}};
  ASSERT_TRUE(log_->trim(only_first).has_value());
  EXPECT_EQ(log_->start(kSecond), 0);
  EXPECT_EQ(log_->read(kSecond, 0, 1, 1)->size(), 1u);
  const std::pair<LogPartition, Offset> both[] = {{kFirst, 80}, {kSecond, 60}};
  ASSERT_TRUE(log_->trim(both).has_value());
  if (!under_test_->trims()) {
    EXPECT_EQ(log_->start(kFirst), 0);
    EXPECT_EQ(texts(kFirst).size(), 100u);
    return;
  }
  EXPECT_LE(log_->start(kFirst), 80);
  EXPECT_LE(log_->start(kSecond), 60);
  EXPECT_GT(log_->start(kSecond), 0);
  EXPECT_GT(log_->start(kFirst), 0);
  if (under_test_->keeps_exactly_from_trim()) {
    EXPECT_EQ(log_->start(kFirst), 80);
  }
  EXPECT_EQ(log_->read(kFirst, log_->start(kFirst) - 1, 1, 1).error().code, Code::kNotFound);
  EXPECT_EQ(texts(kFirst, log_->start(kFirst)).size(),
            static_cast<std::size_t>(100 - log_->start(kFirst)));
  EXPECT_EQ(*log_->append_and_wait({{kFirst, "u", "next"}}), std::vector<Offset>{100});
}

TEST_P(EventLogContract, RefusesWhileNotWritableAndReadsGoOn) {
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "before"}}).has_value());
  under_test_->stop_accepting();
  if (IsSkipped()) return;
  const auto refused = log_->append_and_wait({{kFirst, "u", "during"}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_FALSE(log_->writable().has_value());
  EXPECT_FALSE(log_->writable().error().detail.empty());
  EXPECT_EQ(texts(kFirst), std::vector<std::string>{"before"});
  under_test_->accept_again();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatience);
  while (!log_->writable().has_value() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  ASSERT_TRUE(log_->append_and_wait({{kFirst, "u", "after"}}).has_value());
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
        Form{"EmbeddedOnFaultyFiles", making<EmbeddedForm>(kNoTail, EmbeddedForm::Disk::kFaulty)},
        Form{"KafkaMock", making<KafkaMockForm>()},
        Form{"KafkaBroker", making<KafkaBrokerForm>(), KafkaBroker::missing}),
    [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace millrace::ingest
