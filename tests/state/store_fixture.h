#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "schemas/interaction_table.h"
#include "state/commit.h"
#include "state/partition_store.h"
#include "tests/support/temp_dir.h"

namespace millrace::state {

// A partition store in a directory of its own, with what it needs around it. Reopening it gives a
// process with other item indexes, as a restart does.
class StoreHome {
 public:
  explicit StoreHome(std::size_t cache_bytes = 64u << 20) : cache_bytes_(cache_bytes) { reopen(); }

  PartitionStore& store() { return *store_; }
  PartitionStore* operator->() { return store_.get(); }
  const std::filesystem::path& path() const { return directory_.path(); }

  void reopen() {
    store_.reset();
    names_ = std::make_unique<NameTable>();
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  void close() { store_.reset(); }

  Result<std::unique_ptr<PartitionStore>> open(Db::Mode mode = Db::Mode::kReadWrite) {
    PartitionStore::Options options;
    options.directory = directory_.path() / "partition";
    options.cache_bytes = cache_bytes_;
    options.mode = mode;
    return PartitionStore::open(options, shared_, *names_, catalog_names_, metrics_);
  }

  // Publishes and commits, as the runner does on one thread.
  void commit() {
    store_->publish();
    write(store_->freeze());
  }
  void write(std::shared_ptr<const Commit> commit) {
    if (!commit) return;
    const auto status = store_->write(*commit);
    ASSERT_TRUE(status) << status.error().detail;
  }

  NameTable& names() { return *names_; }
  CatalogNames& catalog_names() { return catalog_names_; }
  RocksShared& shared() { return shared_; }

 private:
  TempDir directory_;
  std::size_t cache_bytes_;
  RocksShared shared_{{.write_buffer_bytes = 6u << 20}};
  Metrics metrics_;
  CatalogNames catalog_names_;
  std::unique_ptr<NameTable> names_;
  std::unique_ptr<PartitionStore> store_;
};

// One record of a made-up log: an event, an erasure, a ruleset or a dead letter.
struct TestRecord {
  enum class Kind { kEvent, kErase, kRuleset, kDeadLetter } kind = Kind::kEvent;
  Offset offset = 0;
  UnixMillis log_time = 0;
  std::string user;
  std::string item;
  std::uint32_t type = 0;
  std::string id;
  Ruleset ruleset;
};

// A seeded log of `count` records over few people, so that pages split and people come back.
inline std::vector<TestRecord> make_log(std::uint64_t seed, std::size_t count, int people = 20,
                                        int items = 300) {
  std::mt19937_64 random(seed);
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  std::vector<TestRecord> log;
  UnixMillis time = 1'700'000'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    TestRecord record;
    record.offset = static_cast<Offset>(i);
    record.log_time = time += static_cast<UnixMillis>(below(200'000));
    // Skewed towards the first ones.
    record.user = "user " + std::to_string(below(below(static_cast<std::uint64_t>(people)) + 1));
    record.item = "movie:" + std::to_string(below(static_cast<std::uint64_t>(items)));
    record.type = static_cast<std::uint32_t>(1 + below(19));
    record.id = std::to_string(below(20) == 0 ? below(i + 1) : i);
    const std::uint64_t dice = below(1000);
    if (dice < 4) record.kind = TestRecord::Kind::kErase;
    if (dice == 4) record.kind = TestRecord::Kind::kRuleset;
    if (dice >= 5 && dice < 20) record.kind = TestRecord::Kind::kDeadLetter;
    record.ruleset.rule_version = static_cast<std::uint32_t>(i);
    record.ruleset.dedupe_ids = 50 + below(500);
    record.ruleset.dedupe_ms = static_cast<std::int64_t>(1 + below(10)) * 3'600'000;
    record.ruleset.history_retention_ms = static_cast<std::int64_t>(below(3)) * 5'000'000;
    log.push_back(std::move(record));
  }
  return log;
}

// A small rule that touches every kind of fact.
inline void apply_event(PartitionStore& store, const TestRecord& record) {
  const Identity identity = identity_of(record.user, "test", record.id);
  if (store.duplicates().find(identity, record.log_time)) return;
  store.duplicates().add(identity, {record.offset, record.log_time, Verdict::kApplied});
  const Ruleset rules;
  const ItemNumber number = store.number_of(record.item);
  Person& person = store.change_person(record.user);
  ItemRow row = person.row(number);
  const ItemRow before = row;
  ++person.events;
  add_count(person.counts, record.type, 1);
  add_count(row.counts, record.type, 1);
  row.last_time = record.log_time - 5;
  if (row.order == 0) row.order = person.next_order++;
  if (record.type == 5) row.flags |= kLiked;
  if (record.type == 6) row.flags = static_cast<std::uint8_t>(row.flags & ~kLiked);
  if (record.type == 14) {
    row.flags |= kRated;
    row.rating_centi = static_cast<std::int32_t>(record.offset % 500);
  }
  const std::int64_t half_lives[] = {rules.short_half_life_ms, rules.long_half_life_ms};
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    row.trend[h].advance_to(trend_epoch(record.log_time, half_lives[h]));
    row.trend[h].newer += trend_increment(3, record.log_time, half_lives[h]);
  }
  person.put(row);
  person.sequence.push_back(number);
  if (person.sequence.size() > 50) person.sequence.erase(person.sequence.begin());
  ItemStats& stats = store.change_item(number);
  contribute(stats, before, -1);
  contribute(stats, row, 1);
  const std::string session = "s" + std::to_string(record.offset % 7);
  InteractionView interaction;
  interaction.type_number = record.type;
  interaction.time = row.last_time;
  interaction.session = session;
  store.append_history(person, record.offset, record.log_time, interaction, number);
}

inline void apply_record(PartitionStore& store, const TestRecord& record, std::int64_t retention) {
  switch (record.kind) {
    case TestRecord::Kind::kEvent:
      apply_event(store, record);
      if (retention > 0 && store.person(record.user) != nullptr) {
        store.drop_history_before(store.change_person(record.user), record.log_time - retention);
      }
      break;
    case TestRecord::Kind::kErase:
      if (const Person* person = store.person(record.user)) {
        person->for_each_row(
            [&store](const ItemRow& row) { contribute(store.change_item(row.item), row, -1); });
        store.erase_person(record.user);
      }
      break;
    case TestRecord::Kind::kRuleset: store.set_ruleset(record.ruleset); break;
    case TestRecord::Kind::kDeadLetter:
      store.add_dead_letter({record.offset, record.log_time, "poison", "bytes", record.user});
      break;
  }
  store.applied().next_offset = record.offset + 1;
  store.applied().log_time = record.log_time;
}

inline std::map<std::string, std::string> facts_of(const PartitionStore& store) {
  std::map<std::string, std::string> facts;
  EXPECT_TRUE(store.for_each_fact([&facts](std::string_view key, std::string_view value) {
    facts.emplace(key, value);
    return true;
  }));
  return facts;
}

}  // namespace millrace::state
