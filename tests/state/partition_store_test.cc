#include "state/partition_store.h"

#include <atomic>
#include <thread>

#include "state/keys.h"
#include "tests/state/store_fixture.h"

namespace millrace::state {
namespace {

TestRecord event(Offset offset, std::string user, std::string item, std::uint32_t type = 1) {
  TestRecord record;
  record.offset = offset;
  record.log_time = 1'700'000'000'000 + offset * 1000;
  record.user = std::move(user);
  record.item = std::move(item);
  record.type = type;
  record.id = std::to_string(offset);
  return record;
}

void apply(StoreHome& home, const TestRecord& record) { apply_record(home.store(), record, 0); }

std::vector<Offset> offsets(const std::vector<HistoryItem>& entries) {
  std::vector<Offset> found;
  for (const HistoryItem& entry : entries) found.push_back(entry.offset);
  return found;
}

TEST(PartitionStore, ReadersSeeWhatIsPublished) {
  StoreHome home;
  apply(home, event(0, "ann", "movie:1", 5));
  EXPECT_EQ(home->read("ann")->person, nullptr);
  EXPECT_EQ(home->published().next_offset, 0);
  const auto changed = home->publish();
  EXPECT_EQ(changed, std::vector<ItemIndex>{0});
  const PersonView ann = *home->read("ann");
  ASSERT_NE(ann.person, nullptr);
  EXPECT_EQ(ann.person->events, 1u);
  EXPECT_TRUE(ann.person->find(0)->has(kLiked));
  EXPECT_EQ(home->published().next_offset, 1);
  ItemCounts counts;
  home->cells().add_to(counts, home->index_of(0));
  EXPECT_EQ(counts.likes, 1u);
  EXPECT_EQ(home->read("bob")->person, nullptr);
  EXPECT_TRUE(home->publish().empty());
  apply(home, event(1, "ann", "movie:2"));
  home->publish();
  EXPECT_EQ(ann.person->events, 1u) << "what a reader holds does not change";
  EXPECT_EQ(home->read("ann")->person->events, 2u);
}

TEST(PartitionStore, ReopensAtTheLastCommit) {
  StoreHome home;
  for (Offset i = 0; i < 100; ++i) apply(home, event(i, "ann", "movie:" + std::to_string(i)));
  apply(home, event(100, "bob", "movie:5", 5));
  Ruleset rules;
  rules.rule_version = 7;
  home->set_ruleset(rules);
  home.commit();
  const auto facts = facts_of(home.store());
  const auto digest = home->digest();
  apply(home, event(101, "bob", "movie:6"));
  home->publish();
  auto lost = home->freeze();
  lost.reset();
  home.reopen();
  EXPECT_EQ(home->digest(), digest);
  EXPECT_EQ(facts_of(home.store()), facts);
  EXPECT_EQ(home->published().next_offset, 101);
  EXPECT_EQ(home->ruleset().rule_version, 7u);
  EXPECT_EQ(home->read("bob")->person->events, 1u);
  EXPECT_EQ(home->read("ann")->person->pages.size(), 4u);
  ItemCounts counts;
  home->cells().add_to(counts, *home.names().find("movie:5"));
  EXPECT_EQ(counts.likes, 1u);
  const Expected people[] = {{"ann", {}}, {"bob", 0}, {"ann", 60}, {"eve", 7}};
  ASSERT_TRUE(home->prefetch(people));
  EXPECT_EQ(home->person("eve"), nullptr);
  EXPECT_EQ(home->person("ann")->events, 100u);
  EXPECT_TRUE(home->first_seen(identity_of("bob", "test", "100")));
  EXPECT_FALSE(home->first_seen(identity_of("bob", "test", "101")));
  EXPECT_EQ(home->freeze(), nullptr);
}

TEST(PartitionStore, CommitsAreWrittenInOrderWhileTheWriterGoesOn) {
  StoreHome home;
  apply(home, event(0, "ann", "movie:1"));
  home->publish();
  auto first = home->freeze();
  apply(home, event(1, "ann", "movie:1", 5));
  home->publish();
  auto second = home->freeze();
  apply(home, event(2, "ann", "movie:2"));
  home->publish();
  home.write(std::move(first));
  EXPECT_EQ(home->digest().first, 1);
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  home.write(std::move(second));
  EXPECT_EQ(home->digest().first, 2);
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  EXPECT_GT(home->dirty_bytes(), 0u);
  home.commit();
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  EXPECT_EQ(home->dirty_bytes(), 0u);
}

TEST(PartitionStore, AnErasedPersonLeavesNoRow) {
  StoreHome home;
  for (Offset i = 0; i < 200; ++i) apply(home, event(i, "ann", "movie:" + std::to_string(i), 5));
  for (Offset i = 200; i < 205; ++i) apply(home, event(i, "ann b", "movie:1", 5));
  home->set_profile("ann", std::make_shared<Profile>());
  home->add_dead_letter({205, 0, "poison", "x", "ann"});
  home->add_dead_letter({206, 0, "poison", "x", "ann b"});
  home.commit();
  home->add_dead_letter({207, 0, "poison", "x", "ann"});
  TestRecord erase = event(300, "ann", "");
  erase.kind = TestRecord::Kind::kErase;
  apply(home, erase);
  home->publish();
  EXPECT_EQ(home->read("ann")->person, nullptr);
  EXPECT_EQ(home->read("ann")->profile, nullptr);
  EXPECT_TRUE(home->history("ann", {})->empty());
  EXPECT_EQ(home->dead_letters(0, 10)->size(), 1u) << "hidden before they are gone";
  home.write(home->freeze());
  EXPECT_EQ(home->dead_letters(0, 10)->size(), 1u);
  const Status scanned = home->db().scan({}, {}, [](std::string_view key, std::string_view) {
    const auto at = key.find("ann");
    if (at != std::string_view::npos && key.substr(at, 5) != "ann b") ADD_FAILURE() << key;
    return true;
  });
  ASSERT_TRUE(scanned);
  ItemCounts counts;
  home->cells().add_to(counts, *home.names().find("movie:1"));
  EXPECT_EQ(counts.likes, 1u) << "of the other person";
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  EXPECT_EQ(home->read("ann b")->person->events, 5u);
}

TEST(PartitionStore, APersonMayComeBackAfterErasure) {
  StoreHome home;
  for (Offset i = 0; i < 200; ++i) apply(home, event(i, "ann", "movie:" + std::to_string(i)));
  home.commit();
  TestRecord erase = event(200, "ann", "");
  erase.kind = TestRecord::Kind::kErase;
  apply(home, erase);
  for (Offset i = 201; i < 290; ++i) apply(home, event(i, "ann", "movie:" + std::to_string(i)));
  home.commit();
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  home.reopen();
  EXPECT_EQ(home->read("ann")->person->events, 89u);
  HistoryQuery all;
  all.limit = 1000;
  EXPECT_EQ(home->history("ann", all)->size(), 89u);
  home.commit();
  EXPECT_EQ(home->digest().second, *home->scan_digest());
}

TEST(PartitionStore, APersonWithoutRowsIsKept) {
  StoreHome home;
  home->change_person("ann");
  home.commit();
  home.reopen();
  EXPECT_NE(home->read("ann")->person, nullptr);
}

TEST(PartitionStore, HistoryIsNewestFirstAndFiltered) {
  StoreHome home(/*cache_bytes=*/1);
  for (Offset i = 0; i < 300; ++i) {
    apply(home, event(i, "ann", "movie:1", i % 2 == 0 ? 1 : 5));
    if (i == 100 || i == 200) home.commit();
  }
  home->publish();
  HistoryQuery query;
  query.limit = 3;
  EXPECT_EQ(offsets(*home->history("ann", query)), (std::vector<Offset>{299, 298, 297}));
  query.before = 100;
  query.type = 5;
  EXPECT_EQ(offsets(*home->history("ann", query)), (std::vector<Offset>{99, 97, 95}));
  query = {};
  query.limit = 1000;
  EXPECT_EQ(home->history("ann", query)->size(), 300u);
  query.keep_after = event(250, "", "").log_time;
  EXPECT_EQ(home->history("ann", query)->back().offset, 250) << "exact, whatever pages hold";
  query.keep_after = INT64_MIN;
  query.from = query.to = event(7, "", "").log_time - 5;
  const auto one = *home->history("ann", query);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].event.item.value, "movie:1");
  EXPECT_EQ(one[0].event.user.value, "ann");
  EXPECT_EQ(one[0].item, *home.names().find("movie:1"));
  EXPECT_EQ(one[0].event.session, "s0");
  query = {};
  query.limit = 0;
  EXPECT_TRUE(home->history("ann", query)->empty());
}

TEST(PartitionStore, RetentionDropsWholePages) {
  StoreHome home;
  for (Offset i = 0; i < 300; ++i) apply(home, event(i, "ann", "movie:1"));
  home.commit();
  const std::uint32_t pages = home->person("ann")->history_next;
  ASSERT_GT(pages, 4u);
  home->drop_history_before(home->change_person("ann"), event(150, "", "").log_time);
  home.commit();
  const Person& ann = *home->person("ann");
  EXPECT_GT(ann.history_first, 1u);
  EXPECT_LT(ann.history_first, pages);
  HistoryQuery all;
  all.limit = 1000;
  const auto kept = offsets(*home->history("ann", all));
  EXPECT_LE(kept.back(), 150);
  EXPECT_GT(kept.back(), 100) << "a page holds fewer than fifty";
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  home->drop_history_before(home->change_person("ann"), INT64_MAX);
  home.commit();
  EXPECT_EQ(home->person("ann")->history_first, pages);
  EXPECT_EQ(home->digest().second, *home->scan_digest());
}

TEST(PartitionStore, ATinyCacheForgetsNothing) {
  StoreHome home(/*cache_bytes=*/1);
  StoreHome large;
  const auto log = make_log(9, 2000, 200);
  for (const TestRecord& record : log) {
    apply(home, record);
    apply(large, record);
    if (record.offset % 50 == 0) home.commit();
    if (record.offset % 50 == 0) large.commit();
  }
  home.commit();
  large.commit();
  home.commit();
  EXPECT_LT(sum_of(home->memory_parts()), sum_of(large->memory_parts()));
  EXPECT_EQ(home->digest(), large->digest());
  for (int i = 0; i < 200; ++i) {
    const std::string user = "user " + std::to_string(i);
    const auto a = home->read(user)->person, b = large->read(user)->person;
    ASSERT_EQ(a == nullptr, b == nullptr) << user;
    EXPECT_TRUE(!a || a->events == b->events) << user;
  }
}

TEST(PartitionStore, EveryPersonIsVisitedInOrder) {
  StoreHome home;
  for (Offset i = 0; i < 100; ++i) apply(home, event(i, "b", "movie:" + std::to_string(i)));
  apply(home, event(100, "a", "movie:1"));
  apply(home, event(101, "c", "movie:1"));
  home.commit();
  std::string users;
  std::size_t rows = 0;
  ASSERT_TRUE(home->for_each_person([&](std::string_view user, const Person& person) {
    users += user;
    person.for_each_row([&rows](const ItemRow&) { ++rows; });
    return user != "b";
  }));
  EXPECT_EQ(users, "ab");
  EXPECT_EQ(rows, 101u);
}

TEST(PartitionStore, DigestsAreKeptForRoundOffsets) {
  StoreHome home;
  apply(home, event(0, "ann", "movie:1"));
  home->applied().next_offset = 65536;
  home.commit();
  EXPECT_EQ(*home->digest_at(65536), home->digest().second);
  EXPECT_EQ(*home->digest_at(131072), std::nullopt);
}

TEST(PartitionStore, ProfilesAreKeptBesideThePerson) {
  StoreHome home;
  apply(home, event(0, "ann", "movie:1"));
  auto profile = std::make_shared<Profile>();
  profile->events = 1;
  profile->categories = {{home.catalog_names().categories.intern("Drama"), 1, 1}};
  home->set_profile("ann", profile);
  home.commit();
  home.reopen();
  EXPECT_EQ(*home->read("ann")->profile, *profile);
  EXPECT_EQ(*home->profile("ann"), *profile);

  const PersonView made_from = *home->read("ann");
  const auto offered = std::make_shared<Profile>();
  home->offer_profile("ann", made_from, offered);
  EXPECT_EQ(home->read("ann")->profile, offered);
  apply(home, event(1, "ann", "movie:2"));
  home->publish();
  home->offer_profile("ann", made_from, profile);
  EXPECT_EQ(home->read("ann")->profile, offered) << "made from facts that have moved on";
}

TEST(PartitionStore, ANewerFormatIsRefused) {
  StoreHome home;
  WriteBatch batch;
  batch.put(keys::kFormat, "2");
  ASSERT_TRUE(home->db().write(batch));
  home.close();
  const auto opened = home.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kInvalid);
  EXPECT_NE(opened.error().detail.find("format 2"), std::string::npos);
}

TEST(PartitionStore, AFailedCommitIsFinalAndReadsGoOn) {
  StoreHome home;
  apply(home, event(0, "ann", "movie:1"));
  home.commit();
  home.close();
  auto opened = home.open(Db::Mode::kReadOnly);
  ASSERT_TRUE(opened);
  PartitionStore& store = **opened;
  apply_record(store, event(1, "ann", "movie:1"), 0);
  store.publish();
  const auto commit = store.freeze();
  EXPECT_FALSE(store.write(*commit));
  EXPECT_EQ(store.read("ann")->person->events, 2u);
  const auto again = store.write(*commit);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().detail.find("reopen"), std::string::npos);
}

// Every event of this test's log counts one row of one person up: head and rows agree in each
// version, so a mix of two shows.
TEST(PartitionStore, ReadersNeverSeeTwoVersionsOfAPerson) {
  StoreHome home(/*cache_bytes=*/1);
  std::atomic<bool> done{false};
  std::vector<std::jthread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&home, &done, r] {
      std::mt19937_64 random(static_cast<std::uint64_t>(r));
      while (!done) {
        const std::string user = "u" + std::to_string(random() % 8);
        const auto view = home->read(user);
        ASSERT_TRUE(view) << view.error().detail;
        if (!view->person) continue;
        std::uint64_t sum = 0;
        view->person->for_each_row([&sum](const ItemRow& row) { sum += count_of(row.counts, 1); });
        ASSERT_EQ(sum, view->person->events) << user;
        ASSERT_TRUE(home->for_each_person([](std::string_view, const Person& person) {
          std::uint64_t rows = 0;
          person.for_each_row([&rows](const ItemRow& row) { rows += count_of(row.counts, 1); });
          EXPECT_EQ(rows, person.events);
          return true;
        }));
        HistoryQuery all;
        all.limit = 10'000;
        const auto history = home->history(user, all);
        ASSERT_TRUE(history) << history.error().detail;
        ASSERT_TRUE(home->dead_letters(0, 10));
      }
    });
  }
  std::jthread committer;
  std::mt19937_64 random(7);
  for (Offset i = 0; i < 1500; ++i) {
    apply(home,
          event(i, "u" + std::to_string(random() % 8), "movie:" + std::to_string(random() % 80)));
    if (i % 3 == 0) home->publish();
    if (i % 12 != 0) continue;
    if (committer.joinable()) committer.join();
    committer =
        std::jthread([&home, commit = home->freeze()]() mutable { home.write(std::move(commit)); });
  }
  committer.join();
  done = true;
  readers.clear();
  home.commit();
  EXPECT_EQ(home->digest().second, *home->scan_digest());
}

}  // namespace
}  // namespace millrace::state
