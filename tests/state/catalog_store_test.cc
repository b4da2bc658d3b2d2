#include "state/catalog_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "schemas/catalog_record.h"
#include "state/fold_text.h"

namespace millrace::state {
namespace {

class CatalogStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() /
           ("millrace_catalog_" + std::to_string(::getpid()) + "_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  void open() {
    store_.reset();
    items_ = std::make_unique<NameTable>();
    names_ = std::make_unique<CatalogNames>();
    auto opened = CatalogStore::open({dir_.string()}, shared_, *items_, *names_, metrics_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    store_ = std::move(*opened);
  }
  static Item movie(int number, std::vector<std::string> genres = {"Drama"}) {
    Item item;
    item.id = ItemId("movie:" + std::to_string(number));
    item.kind = "movie";
    item.title = "Amélie " + std::to_string(number);
    item.categories = std::move(genres);
    return item;
  }
  static Item below(Item item, const std::string& parent) {
    item.parent = ItemId(parent);
    return item;
  }
  void apply(decltype(CatalogRecord::change) change, std::string command = {}) {
    const Offset at = next_++;
    store_->apply(at, 1001 + at, encode(CatalogRecord{std::move(command), std::move(change)}));
  }
  const CatalogItem* find(const std::string& id) {
    view_ = store_->view();
    const auto index = items_->find(id);
    return index ? view_->find(*index) : nullptr;
  }

  std::filesystem::path dir_;
  RocksShared shared_{{}};
  Metrics metrics_;
  std::unique_ptr<NameTable> items_;
  std::unique_ptr<CatalogNames> names_;
  std::unique_ptr<CatalogStore> store_;
  std::shared_ptr<const CatalogView> view_;
  Offset next_ = 0;
};

TEST_F(CatalogStoreTest, ShowsWhatIsPublishedAndNothingElse) {
  apply(movie(1));
  EXPECT_EQ(find("movie:1"), nullptr);
  EXPECT_EQ(store_->next_offset(), 0);
  EXPECT_EQ(store_->publish(), std::vector<ItemIndex>{0});
  ASSERT_NE(find("movie:1"), nullptr);
  EXPECT_EQ(find("movie:1")->folded_title, "amelie 1");
  EXPECT_EQ(find("movie:1")->natural, 1u);
  EXPECT_EQ(find("movie:1")->appeared, 1001);
  EXPECT_EQ(store_->next_offset(), 1);
  EXPECT_TRUE(store_->publish().empty());
}

TEST_F(CatalogStoreTest, ViewsTakenEarlierStayAsTheyWere) {
  apply(movie(1));
  store_->publish();
  const auto before = store_->view();
  apply(DeleteItem{ItemId("movie:1")});
  apply(movie(2));
  store_->publish();
  EXPECT_NE(before->find(0), nullptr);
  EXPECT_EQ(before->items(), 1u);
  EXPECT_EQ(find("movie:1"), nullptr);
  EXPECT_NE(find("movie:2"), nullptr);
  EXPECT_FALSE(view_->listed(0));
  EXPECT_EQ(view_->kind_of(0), kAnyName);
}

TEST_F(CatalogStoreTest, OutcomesSayWhatCommandsCameToAndARepeatHasNoEffect) {
  apply(movie(1), "a");
  apply(movie(1, {"Comedy"}), "b");
  apply(DeleteItem{ItemId("movie:9")}, "c");
  apply(DeleteItem{ItemId("movie:1")}, "d");
  apply(movie(1), "a");
  store_->publish();
  EXPECT_EQ(store_->outcome("a"), CommandOutcome::kCreated);
  EXPECT_EQ(store_->outcome("b"), CommandOutcome::kReplaced);
  EXPECT_EQ(store_->outcome("c"), CommandOutcome::kNotFound);
  EXPECT_EQ(store_->outcome("d"), CommandOutcome::kDeleted);
  EXPECT_EQ(store_->outcome("e"), std::nullopt);
  EXPECT_EQ(find("movie:1"), nullptr);
}

TEST_F(CatalogStoreTest, AnOffsetAppliedBeforeHasNoEffect) {
  apply(movie(1));
  store_->apply(0, 1, encode(CatalogRecord{"", movie(2)}));
  store_->publish();
  EXPECT_EQ(find("movie:2"), nullptr);
}

TEST_F(CatalogStoreTest, FeaturesChangedMovesForFeaturesOfItemsKnownBeforeOnly) {
  apply(movie(1));
  store_->publish();
  EXPECT_EQ(store_->view()->features_changed(), 0);
  EXPECT_EQ(store_->view()->added(), 1);
  Item renamed = movie(1);
  renamed.title = "Other";
  apply(renamed);
  store_->publish();
  EXPECT_EQ(store_->view()->features_changed(), 0);
  apply(movie(1, {"Comedy"}));
  store_->publish();
  EXPECT_EQ(store_->view()->features_changed(), 3);
  apply(DeleteItem{ItemId("movie:1")});
  store_->publish();
  EXPECT_EQ(store_->view()->features_changed(), 4);
  EXPECT_EQ(store_->view()->added(), 1);
}

TEST_F(CatalogStoreTest, DemandsComeBackInOrder) {
  apply(DemandErase{UserId("u1")});
  apply(movie(1));
  apply(DemandErase{UserId("u2")});
  store_->publish();
  ASSERT_EQ(store_->demands_after(-1, 10).size(), 2u);
  EXPECT_EQ(store_->demands_after(-1, 1).front().erase, UserId("u1"));
  ASSERT_EQ(store_->demands_after(0, 10).size(), 1u);
  EXPECT_EQ(store_->demands_after(0, 10).front().catalog_offset, 2);
}

TEST_F(CatalogStoreTest, ARestartFindsEverythingCommitted) {
  apply(movie(1), "a");
  apply(movie(7), "b");
  apply(DeleteItem{ItemId("movie:7")}, "c");
  apply(DemandErase{UserId("u1")});
  store_->apply(next_++, 5, "\xff no record");
  store_->publish();
  ASSERT_TRUE(store_->commit().has_value());
  apply(movie(2));
  store_->publish();
  const auto hash = store_->last_record_hash();
  const auto digest = store_->digest();
  open();
  EXPECT_EQ(store_->next_offset(), 5);
  EXPECT_NE(store_->last_record_hash(), hash);
  EXPECT_EQ(store_->digest(), digest);
  EXPECT_EQ(store_->scan_digest().value(), digest);
  ASSERT_NE(find("movie:1"), nullptr);
  EXPECT_EQ(find("movie:1")->first_put, 1001);
  EXPECT_EQ(find("movie:2"), nullptr);
  EXPECT_EQ(find("movie:7"), nullptr);
  EXPECT_EQ(store_->highest_number("movie"), 7u);
  EXPECT_EQ(store_->highest_number("video"), 0u);
  EXPECT_EQ(store_->outcome("c"), CommandOutcome::kDeleted);
  EXPECT_EQ(store_->demands_after(-1, 10).size(), 1u);
  EXPECT_EQ(store_->view()->features_changed(), 3);
  const auto letters = store_->dead_letters(0, 10);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ(letters->front().record, "\xff no record");
  EXPECT_EQ(letters->front().offset, 4);
}

TEST_F(CatalogStoreTest, TheDigestIsTheSameHoweverOftenItIsCommitted) {
  for (int i = 0; i < 5; ++i) {
    apply(movie(i % 3, {std::to_string(i)}));
    store_->publish();
    ASSERT_TRUE(store_->commit().has_value());
    EXPECT_EQ(store_->scan_digest().value(), store_->digest());
  }
  const auto in_steps = store_->digest();
  store_.reset();
  std::filesystem::remove_all(dir_);
  next_ = 0;
  open();
  for (int i = 0; i < 5; ++i) apply(movie(i % 3, {std::to_string(i)}));
  store_->publish();
  ASSERT_TRUE(store_->commit().has_value());
  EXPECT_EQ(store_->digest(), in_steps);
}

TEST_F(CatalogStoreTest, AChangedByteShowsInTheScan) {
  apply(movie(1));
  store_->publish();
  ASSERT_TRUE(store_->commit().has_value());
  std::string key, value;
  ASSERT_TRUE(store_
                  ->for_each_fact([&](auto k, auto v) {
                    key = k, value = v;
                    return k[0] != 'i';
                  })
                  .has_value());
  value[value.size() - 1] ^= 1;
  WriteBatch batch;
  batch.put(key, value);
  ASSERT_TRUE(store_->db().write(batch).has_value());
  EXPECT_NE(store_->scan_digest().value(), store_->digest());
  open();
  EXPECT_NE(store_->scan_digest().value(), store_->digest());
}

TEST_F(CatalogStoreTest, ChildrenGoWithTheirParent) {
  apply(movie(1));
  apply(movie(2));
  apply(below(movie(3), "movie:2"));
  for (int number : {11, 12, 13}) apply(below(movie(number), "movie:1"));
  apply(below(movie(21), "movie:12"));
  apply(below(movie(13), "movie:2"));  // moves
  store_->publish();
  ASSERT_TRUE(store_->commit().has_value());
  open();  // the index of children is not stored
  EXPECT_EQ(store_->view()->children(*items_->find("movie:1")).size(), 2u);
  EXPECT_EQ(store_->view()->children(*items_->find("movie:3")).size(), 0u);
  const auto before = store_->view();
  apply(DeleteItem{ItemId("movie:1")}, "gone");
  EXPECT_EQ(store_->publish().size(), 4u);
  EXPECT_EQ(store_->outcome("gone"), CommandOutcome::kDeleted);
  for (const char* id : {"movie:1", "movie:11", "movie:12", "movie:21"}) {
    EXPECT_EQ(find(id), nullptr) << id;
    EXPECT_NE(before->find(*items_->find(id)), nullptr) << id;
  }
  EXPECT_EQ(store_->view()->children(*items_->find("movie:2")).size(), 2u);
  EXPECT_EQ(before->children(*items_->find("movie:1")).size(), 2u);
  apply(DeleteItem{ItemId("movie:13")});
  apply(movie(1));  // its children stay gone
  store_->publish();
  EXPECT_EQ(find("movie:11"), nullptr);
  EXPECT_EQ(store_->view()->children(*items_->find("movie:1")).size(), 0u);
  apply(DeleteItem{ItemId("movie:1")});
  store_->publish();
  ASSERT_TRUE(store_->commit().has_value());
  EXPECT_EQ(store_->scan_digest().value(), store_->digest());
  open();
  EXPECT_EQ(store_->view()->items(), 2u) << "movies 2 and 3";
}

TEST_F(CatalogStoreTest, AParentIsAnItemThatIsNotBelow) {
  apply(below(movie(1), "movie:9"), "none");
  apply(MintItem{below(movie(0), "movie:9")}, "mint");
  apply(below(movie(1), "movie:1"), "new self");
  apply(movie(1));
  apply(below(movie(1), "movie:1"), "self");
  apply(below(movie(2), "movie:1"));
  apply(below(movie(3), "movie:2"));
  apply(below(movie(1), "movie:3"), "below");
  EXPECT_EQ(store_->outcome("none"), CommandOutcome::kNoParent);
  EXPECT_EQ(store_->outcome("mint"), CommandOutcome::kNoParent);
  EXPECT_EQ(store_->outcome("new self"), CommandOutcome::kNoParent);
  EXPECT_EQ(store_->outcome("self"), CommandOutcome::kParentLoop);
  EXPECT_EQ(store_->outcome("below"), CommandOutcome::kParentLoop);
  EXPECT_EQ(store_->highest_number("movie"), 3u);
  for (int number = 4; number < 18; ++number) {
    apply(below(movie(number), "movie:" + std::to_string(number - 1)),
          "deep" + std::to_string(number));
  }
  EXPECT_EQ(store_->outcome("deep17"), CommandOutcome::kCreated);
  apply(below(movie(18), "movie:17"), "deeper");
  EXPECT_EQ(store_->outcome("deeper"), CommandOutcome::kParentLoop) << "17 levels";
  store_->publish();
  EXPECT_EQ(find("movie:1")->parent, kNoItem);
  EXPECT_EQ(find("movie:2")->parent, find("movie:1")->index);
}

TEST_F(CatalogStoreTest, CategoriesComeFromTheParentThatHasAny) {
  const auto categories = [this](const std::string& id) {
    std::vector<std::string> out;
    for (const auto name : find(id)->categories) out.emplace_back(names_->categories.name(name));
    return out;
  };
  using Names = std::vector<std::string>;
  apply(movie(9, {"Drama"}));
  apply(below(movie(5, {}), "movie:9"));
  apply(below(movie(1, {"Own"}), "movie:5"));
  apply(movie(8, {}));
  apply(below(movie(7, {"Own"}), "movie:8"));
  store_->publish();
  EXPECT_EQ(categories("movie:5"), Names{"Drama"});
  EXPECT_EQ(categories("movie:1"), Names{"Drama"}) << "down to the last of them";
  EXPECT_EQ(categories("movie:7"), Names{"Own"});
  const auto before = store_->view()->features_changed();
  apply(movie(9, {"Crime", "Drama"}));
  const auto changed = store_->publish();
  for (const char* id : {"movie:9", "movie:5", "movie:1"}) {
    EXPECT_EQ(categories(id), (Names{"Crime", "Drama"})) << id;
    EXPECT_TRUE(std::find(changed.begin(), changed.end(), find(id)->index) != changed.end()) << id;
  }
  EXPECT_GT(store_->view()->features_changed(), before) << "profiles are to be made anew";
  ASSERT_TRUE(store_->commit().has_value());
  open();  // children first: rows lie in the order of ids
  EXPECT_EQ(categories("movie:1"), (Names{"Crime", "Drama"}));
  apply(movie(1, {"Own"}));
  store_->publish();
  EXPECT_EQ(categories("movie:1"), Names{"Own"}) << "it has left its parent";
}

TEST_F(CatalogStoreTest, ANewerFormatIsRefused) {
  WriteBatch batch;
  batch.put("V", "2");
  ASSERT_TRUE(store_->db().write(batch).has_value());
  store_.reset();
  const auto opened = CatalogStore::open({dir_.string()}, shared_, *items_, *names_, metrics_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kInvalid);
}

TEST(FoldText, DropsAccentsAndCase) {
  EXPECT_EQ(fold_text("Amélie ÆGIR Straße Łódź"), "amelie aegir strasse lodz");
  EXPECT_EQ(fold_text("e\xcc\x81t\xc3\x89"), "ete");
  EXPECT_EQ(fold_text("МОСКВА ΑΘΗΝΑ"), "москва αθηνα");
  EXPECT_EQ(fold_text("Ệ 千と × \xff"), "e 千と × \xff");
}

TEST(NaturalOrder, NumbersComeFirstAndBySize) {
  EXPECT_EQ(natural_of("movie:12"), 12u);
  EXPECT_EQ(natural_of("movie:012"), UINT64_MAX);
  EXPECT_EQ(natural_of("movie"), UINT64_MAX);
  EXPECT_EQ(natural_of("movie:1a"), UINT64_MAX);
  EXPECT_EQ(natural_of("movie:99999999999999999999"), UINT64_MAX);
}

}  // namespace
}  // namespace millrace::state
