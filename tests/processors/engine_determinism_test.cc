// The same log gives the same facts, whatever the batches, threads, commits, stops, kills, memory
// and configuration: equal digests at equal offsets.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/memory_log.h"
#include "processors/engine.h"
#include "processors/verify.h"
#include "schemas/catalog_record.h"
#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "state/checkpoint.h"
#include "state/history.h"
#include "state/rocks.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace millrace::processors {
namespace {

constexpr std::uint16_t kPartitions = 4;
constexpr int kUsers = 120;
constexpr int kItems = 300;
constexpr int kEvents = 12'000;

// The first records of another log, read-only: what a server sees before it is stopped there.
class LogUpTo final : public ingest::EventLog {
 public:
  LogUpTo(const ingest::EventLog& log, int percent) : log_(log), percent_(percent) {}

  // As if that much had just been appended.
  void grow_to(int percent) {
    percent_ = percent;
    wake_();
  }

  void append(std::vector<ingest::Append>,
              std::function<void(ingest::AppendResult)> done) override {
    done(fail(Code::kUnavailable, "this log is only read"));
  }
  Result<std::vector<ingest::StoredRecord>> read(LogPartition partition, Offset from,
                                                 std::size_t max_records,
                                                 std::size_t max_bytes) const override {
    MILLRACE_TRY(auto records, log_.read(partition, from, max_records, max_bytes));
    while (!records.empty() && records.back().offset >= end(partition)) records.pop_back();
    return records;
  }
  Offset start(LogPartition partition) const override { return log_.start(partition); }
  Offset end(LogPartition partition) const override { return log_.end(partition) * percent_ / 100; }
  bool wait_beyond(LogPartition partition, Offset from, int) const override {
    return end(partition) > from;
  }
  void wake_all() override {}
  void on_durable(std::function<void()> wake) override { wake_ = std::move(wake); }
  Status trim(std::span<const std::pair<LogPartition, Offset>>) override { return {}; }
  Status writable() const override { return {}; }
  std::uint16_t interaction_partitions() const override { return log_.interaction_partitions(); }

 private:
  const ingest::EventLog& log_;
  std::atomic<int> percent_;
  std::function<void()> wake_;
};

// How a run goes about it.
struct Manner {
  std::string name;
  std::size_t batch_records = 1000;
  int threads = 1;
  CommitLimits commit;
  std::size_t memory_bytes = 64u << 20;
};

EngineOptions options_of(const Manner& manner, const std::string& directory) {
  EngineOptions options;
  options.directory = directory;
  options.apply_threads = manner.threads;
  options.batch_records = manner.batch_records;
  options.commit = manner.commit;
  options.memory_bytes = manner.memory_bytes;
  options.proposed.dedupe_ids = 500;  // so that ids fall out of the window on the way
  options.proposed.dedupe_ms = 3'600'000;
  options.proposed.history_retention_ms = 4LL * 3'600'000;
  options.proposed.sequence_window = 10;
  const InteractionTable known;
  for (const auto& row : known.rows()) {
    options.proposed.tracked_retention.push_back({row.number, 60'000LL * row.number});
  }
  // What no fact may depend on: the weights of records to come, and how readers rank.
  options.interaction_weights = {{"view", manner.threads}};
  options.ranking.feed_like = static_cast<double>(manner.batch_records);
  return options;
}

class Running {
 public:
  Running(const Manner& manner, const std::filesystem::path& directory, ingest::EventLog& log) {
    auto options = options_of(manner, directory);
    options.on_batch = [this](std::uint16_t partition, std::string_view batch) {
      const std::lock_guard lock(mutex_);
      commits_.emplace_back(partition, batch);
    };
    auto opened = Engine::open(options, log, clock_, metrics_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    engine_ = *std::move(opened);
    for (std::uint16_t p = 0; p < kPartitions; ++p) found_ += next_offset(p);
    const auto started = engine_->start([](std::uint64_t, std::uint64_t) {});
    if (!started) throw std::runtime_error(started.error().detail);
  }
  Engine& operator*() { return *engine_; }
  Engine* operator->() { return engine_.get(); }

  // Records that the partitions have applied, and that their state had when it was opened.
  Offset applied() const {
    Offset sum = 0;
    for (std::uint16_t p = 0; p < kPartitions; ++p) sum += next_offset(p);
    return sum;
  }
  Offset found() const { return found_; }

  // Makes of `as_found`, a copy of the state from before, what a kill at this moment leaves: the
  // partitions' commits since, and nothing that waits for one. The catalog has yet to commit.
  void kill(const std::filesystem::path& as_found) const {
    const state::RocksShared shared({});
    std::map<std::uint16_t, std::unique_ptr<state::Db>> databases;
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, batch] : commits_) {
      auto& db = databases[partition];
      if (!db) {
        const LogPartition of{Topic::kInteractions, partition};
        db = state::Db::open(as_found / state::database_folder(of), shared).value();
      }
      ASSERT_TRUE(db->write(state::WriteBatch(batch)));
    }
  }

 private:
  Offset next_offset(std::uint16_t p) const { return engine_->store(p).published().next_offset; }

  ManualClock clock_{1'700'000'000'000};
  Metrics metrics_;
  mutable std::mutex mutex_;  // over commits_
  std::vector<std::pair<std::uint16_t, std::string>> commits_;
  std::unique_ptr<Engine> engine_;
  Offset found_ = 0;
};

Offset records(const ingest::EventLog& log) {
  Offset sum = 0;
  for (std::uint16_t p = 0; p < kPartitions; ++p) sum += log.end({Topic::kInteractions, p});
  return sum;
}

using Digests = std::map<std::string, std::string>;  // "partition@offset" to the digest's text

Digests digests_of(Engine& engine, const ingest::EventLog& log) {
  Digests digests;
  Position end;
  end.include(kCatalogPartition, log.end(kCatalogPartition) - 1);
  EXPECT_TRUE(engine.publisher().wait_reached(end, 10'000));
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const auto at = log.end({Topic::kInteractions, p});
    const auto answer = std::make_shared<std::promise<Result<state::Digest>>>();
    auto coming = answer->get_future();
    engine.digest_at(p, at, [answer](auto digest) { answer->set_value(std::move(digest)); });
    // Long before a commit is due by the rarest limits.
    if (coming.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no digest of partition " << p << " at " << at;
      continue;
    }
    const auto digest = coming.get();
    digests["i" + std::to_string(p) + "@" + std::to_string(at)] =
        digest ? digest->text() : digest.error().detail;
  }
  EXPECT_TRUE(engine.commit_all());
  digests["c@" + std::to_string(engine.catalog().next_offset())] = engine.catalog().digest().text();
  return digests;
}

// A day of a small world in the log: items come and go, people act, repeat themselves and are
// erased, and what cannot be read lies between.
class World {
 public:
  World() {
    TempDir directory(TempDir::in_memory());
    Running engine({"the first", 512, 2, {}, 64u << 20}, directory.path(), log_);
    for (int i = 0; i < kItems; ++i) put_item(i);
    for (int i = 0; i < kEvents; ++i) {
      if (i % 3000 == 2999) erase(*engine, static_cast<int>(random_() % kUsers));
      if (i % 500 == 250) log_.push({Topic::kInteractions, 1}, "no record at all");
      if (i % 400 == 399) expire(static_cast<int>(random_() % kUsers));
      push_event(i);
      clock_.advance(static_cast<UnixMillis>(random_() % 8000));
    }
  }

  const ingest::MemoryLog& log() const { return log_; }

 private:
  void put_item(int number) {
    Item item;
    item.id = ItemId("video:" + std::to_string(number));
    item.kind = "video";
    item.title = "Video";
    item.categories = {"c" + std::to_string(number % 7)};
    log_.push(kCatalogPartition, encode(CatalogRecord{"put" + std::to_string(number), item}));
  }

  void push_event(int number) {
    // Some come again: within the window, and beyond it.
    const bool again = number > 100 && random_() % 10 == 0;
    const int id = again ? static_cast<int>(random_() % static_cast<unsigned>(number)) : number;
    std::mt19937 of_event(static_cast<unsigned>(id));
    const auto& rows = table_.rows();
    const auto& type = rows[of_event() % rows.size()];
    Interaction interaction;
    interaction.type_number = type.number;
    interaction.weight = type.weight;
    interaction.event.source = "world";
    interaction.event.id = std::to_string(id);
    interaction.event.user = UserId("u" + std::to_string(of_event() % kUsers));
    interaction.event.item = ItemId("video:" + std::to_string(of_event() % (kItems + 20)));
    interaction.event.time = clock_.now() - static_cast<UnixMillis>(of_event() % 100'000'000);
    if (of_event() % 4 == 0) track(interaction.event, of_event);
    if (type.name == "rate") interaction.event.value_centi = 50 * (1 + int(of_event() % 10));
    if (of_event() % 5 == 0) interaction.event.context = std::string(of_event() % 700, 'x');
    const auto* undo = table_.find("un" + type.name);
    if (undo != nullptr && of_event() % 2 == 0) {
      interaction.undo_type = undo->number;
      interaction.undo_weight = undo->weight;
    }
    interaction.event.recommendation_id = "r" + std::to_string(id / 200);
    const auto partition = partition_of(interaction.event.user.value, kPartitions);
    if (of_event() % 4 == 0) {
      log_.push({Topic::kInteractions, partition},
                encode(LogRecord{Impression{interaction.event.recommendation_id,
                                            interaction.event.user,
                                            id % 2 == 0 ? "feed" : "popular",
                                            0,
                                            0,
                                            {interaction.event.item},
                                            {},
                                            id % 3 == 0 ? "" : "e" + std::to_string(id % 5),
                                            static_cast<std::uint32_t>(id % 2),
                                            {id % 7 == 0}}}));
    }
    log_.push({Topic::kInteractions, partition}, encode(LogRecord{interaction}));
  }

  void expire(int user) {
    const UserId id("u" + std::to_string(user));
    log_.push({Topic::kInteractions, partition_of(id.value, kPartitions)},
              encode(LogRecord{ExpireTracked{id}}));
  }

  static void track(Event& event, std::mt19937& of_event) {
    event.source = state::kTrackedSource;
    event.mood_intensity = 1 + of_event() % 10;
    if (of_event() % 2 == 0) event.duration_s = of_event() % 600;
  }

  // Waits until the catalog's demand has become a record of the person's partition.
  void erase(Engine& engine, int user) {
    const UserId id("u" + std::to_string(user));
    const auto offset =
        log_.push(kCatalogPartition,
                  encode(CatalogRecord{"erase" + std::to_string(erasures_++), DemandErase{id}}));
    const auto& store = engine.store(partition_of(id.value, kPartitions));
    ASSERT_TRUE(eventually([&] { return store.published().carried_catalog_offset >= offset; }));
  }

  ManualClock clock_{1'600'000'000'000};
  ingest::MemoryLog log_{clock_, kPartitions};
  InteractionTable table_;
  std::mt19937 random_{7};
  int erasures_ = 0;
};

std::vector<Manner> manners() {
  const CommitLimits rare{60'000, 1'000'000, 64u << 20};
  const CommitLimits often{1, 40, 1u << 16};
  return {{"one by one, one thread", 1, 1, rare, 64u << 20},
          {"one by one, four threads", 1, 4, often, 16u << 20},
          {"by sevens, one thread", 7, 1, often, 256u << 20},
          {"by sevens, four threads", 7, 4, rare, 16u << 20},
          {"by thousands, one thread", 1000, 1, often, 16u << 20},
          {"by thousands, four threads", 1000, 4, rare, 256u << 20}};
}

TEST(EngineDeterminism, EqualDigestsAtEqualOffsetsHoweverItIsRun) {
  World world;
  Digests expected;
  for (const auto& manner : manners()) {
    SCOPED_TRACE(manner.name);
    TempDir directory(TempDir::in_memory());
    LogUpTo all(world.log(), 100);
    Running engine(manner, directory.path(), all);
    const auto digests = digests_of(*engine, all);
    if (expected.empty()) expected = digests;
    EXPECT_EQ(digests, expected);
  }
  ASSERT_EQ(expected.size(), kPartitions + 1u);
}

// How a run ends: after it was asked for its digest, which commits; asked for nothing; or killed.
enum class End { kAsked, kStopped, kKilled };
constexpr std::array kEnds = {End::kKilled, End::kAsked, End::kKilled, End::kStopped};

// Runs through the whole log in five runs, by all manners in turn from `first` on, and compares
// with `expected`, by percent of the log. Answers how many applied records kills have cost.
Offset run_in_pieces(const World& world, std::size_t first,
                     const std::map<int, Digests>& expected) {
  TempDir directory(TempDir::in_memory());
  auto state = directory.path() / "0";
  Offset lost = 0, at_kill = 0;
  int percent = 1;
  const auto ways = manners();
  {
    LogUpTo log(world.log(), percent);
    const Running engine(ways[first], state, log);
  }
  for (std::size_t i = 0; const auto& [next, digests] : expected) {
    const auto& manner = ways[(first + i) % ways.size()];
    const auto end = next == 100 ? End::kAsked : kEnds[(first + i / 2) % kEnds.size()];
    SCOPED_TRACE(manner.name + ", " + std::to_string(percent) + " to " + std::to_string(next) +
                 " % of the log, end " + std::to_string(static_cast<int>(end)));
    const auto as_found = directory.path() / std::to_string(++i);
    std::filesystem::copy(state, as_found, std::filesystem::copy_options::recursive);
    LogUpTo log(world.log(), percent);
    Running engine(manner, state, log);
    lost += std::max<Offset>(0, at_kill - engine.found());
    const auto half_way = (engine.applied() + records(world.log()) * next / 100) / 2;
    log.grow_to(next);
    EXPECT_TRUE(eventually([&] { return engine.applied() >= half_way; }));
    at_kill = end == End::kKilled ? engine.applied() : 0;
    if (end == End::kKilled) {
      engine.kill(as_found);
      state = as_found;
    }
    if (end == End::kAsked) {
      EXPECT_EQ(digests_of(*engine, log), digests);
    }
    percent = next;
  }
  return lost;
}

TEST(EngineDeterminism, StopsKillsAndOtherSettingsBetweenLeaveNoTrace) {
  World world;
  std::map<int, Digests> expected;
  for (const int percent : {10, 35, 60, 85, 100}) {
    TempDir directory(TempDir::in_memory());
    LogUpTo part(world.log(), percent);
    Running engine({"straight", 333, 1, {}, 64u << 20}, directory.path(), part);
    expected[percent] = digests_of(*engine, part);
  }
  Offset lost = 0;
  for (std::size_t first = 0; first < manners().size(); ++first) {
    lost += run_in_pieces(world, first, expected);
  }
  EXPECT_GT(lost, 0);  // kills that cost nothing would show nothing
}

TEST(EngineDeterminism, ACheckpointGoesOnWhereTheServerWas) {
  World world;
  TempDir directory(TempDir::in_memory());
  LogUpTo all(world.log(), 100);
  const auto copy = (directory.path() / "copy").string();
  {
    LogUpTo part(world.log(), 47);
    Running engine({"before", 7, 4, {1, 40, 1u << 16}, 16u << 20}, directory.path() / "a", part);
    ASSERT_TRUE(engine->checkpoint(copy));
  }
  Digests expected;
  {
    Running engine({"straight", 333, 1, {}, 64u << 20}, directory.path() / "b", all);
    expected = digests_of(*engine, all);
  }
  {
    Running engine({"after", 1000, 1, {}, 64u << 20}, copy, all);
    EXPECT_EQ(digests_of(*engine, all), expected);
  }
  VerifyOptions options;
  options.state = copy;
  options.scratch = (directory.path() / "scratch").string();
  Metrics metrics;
  const auto reports = verify(options, all, metrics, [](std::uint64_t, std::uint64_t) {});
  ASSERT_TRUE(reports) << reports.error().detail;
  ASSERT_EQ(reports->size(), kPartitions + 1u);
  for (const auto& report : *reports) {
    EXPECT_TRUE(report.ok()) << "stored " << report.stored.text() << ", recorded "
                             << report.recorded.text() << ", rebuilt " << report.rebuilt.text();
    EXPECT_GT(report.offset, 0);
  }
}

}  // namespace
}  // namespace millrace::processors
