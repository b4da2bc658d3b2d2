#include <gtest/gtest.h>

#include <functional>

#include "tests/state/catalog_world.h"

namespace millrace::state {
namespace {

AddressRange range(const std::string& text) { return AddressRange::parse(text).value(); }
Address address(const std::string& text) { return Address::parse(text).value(); }

// Blocks and journals as a catalog store has them. Log time is 1,000 plus the offset.
class AccessTest : public CatalogWorld {
 protected:
  CommandOutcome apply(CatalogChange change, std::optional<Actor> actor = {}) {
    return put(std::move(change), std::move(actor)).value().outcome;
  }
  CommandOutcome apply(const std::string& command, CatalogChange change,
                       std::optional<Actor> actor) {
    return put(command, std::move(change), std::move(actor)).value().outcome;
  }
  // As many blocks as there may be, of 10.0.0.0, 10.0.1.0 …, published once.
  void fill(const std::function<BlockAddress(std::size_t, AddressRange)>& block) {
    for (std::size_t i = 0; i < kMaxBlocks; ++i) {
      Address at = address("10.0.0.0");
      at.bytes[13] = static_cast<std::uint8_t>(i >> 8u);
      at.bytes[14] = static_cast<std::uint8_t>(i);
      store_->apply(next_, 1'000 + next_, encode(CatalogRecord{{}, block(i, {at, 128})}));
      ++next_;
    }
    store_->publish();
  }
  void reopen() {
    ASSERT_TRUE(store_->commit());
    const auto digest = store_->digest();
    EXPECT_EQ(*store_->scan_digest(), digest);
    open();
    EXPECT_EQ(store_->digest(), digest);
  }
  std::vector<std::string> actions(const JournalQuery& query = {}) const {
    std::vector<std::string> out;
    for (const auto& entry : store_->trail(query, 1'000'000)) {
      out.push_back(entry.action + " " + entry.subject);
    }
    return out;
  }

  const Actor admin_{AccountId(7), TokenId(9), "10.0.0.1"};
};

TEST_F(AccessTest, TheNarrowestBlockThatHoldsIsFound) {
  EXPECT_EQ(apply(BlockAddress{range("10.0.0.0/8"), "all"}), CommandOutcome::kCreated);
  EXPECT_EQ(apply(BlockAddress{range("10.1.2.3"), "one", 5'000}), CommandOutcome::kCreated);
  EXPECT_EQ(apply(BlockAddress{range("2001:db8::/64"), "six"}), CommandOutcome::kCreated);
  const auto blocks = store_->blocks();
  EXPECT_EQ(blocks->find(address("10.1.2.3"), 4'999)->reason, "one");
  EXPECT_EQ(blocks->find(address("10.1.2.3"), 5'000)->reason, "all");
  EXPECT_EQ(blocks->find(address("2001:db8::9"), 0)->reason, "six");
  EXPECT_EQ(blocks->find(address("2001:db8:0:1::9"), 0), nullptr);
  EXPECT_EQ(blocks->find(address("11.0.0.1"), 0), nullptr);
}

TEST_F(AccessTest, BlocksAreChangedEndedAndThereAfterAReopen) {
  apply(BlockAddress{range("10.0.0.1"), "a"});
  EXPECT_EQ(apply(BlockAddress{range("10.0.0.1"), "b", 0, true}), CommandOutcome::kReplaced);
  apply(BlockAddress{range("10.0.0.2"), "c"});
  EXPECT_EQ(apply(UnblockAddress{range("10.0.0.2")}), CommandOutcome::kDeleted);
  EXPECT_EQ(apply(UnblockAddress{range("10.0.0.2")}), CommandOutcome::kNotFound);
  EXPECT_EQ(apply(UnblockAddress{range("10.0.0.0/8")}), CommandOutcome::kNotFound);
  reopen();
  const auto blocks = store_->blocks();
  ASSERT_EQ(blocks->all().size(), 1u);
  const auto* block = blocks->find(address("10.0.0.1"), 0);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->reason, "b");
  EXPECT_EQ(block->since, 1'001);
  EXPECT_TRUE(block->automatic);
}

TEST_F(AccessTest, NoMoreThanSoManyAndExpiredOnesMakeRoom) {
  fill([](std::size_t i, const AddressRange& at) {
    return BlockAddress{at, "", i == 0 ? 20'000 : 0};
  });
  EXPECT_EQ(apply(BlockAddress{range("11.0.0.1"), ""}), CommandOutcome::kFull);
  EXPECT_EQ(apply(BlockAddress{range("10.0.1.0"), "again"}), CommandOutcome::kReplaced);
  next_ = 19'000;  // log time 20,000
  EXPECT_EQ(apply(BlockAddress{range("11.0.0.1"), ""}), CommandOutcome::kCreated);
  EXPECT_EQ(store_->blocks()->all().size(), kMaxBlocks);
}

TEST_F(AccessTest, WhatTheServerBlocksNeverKeepsAnAdministratorFromIt) {
  fill([](std::size_t i, const AddressRange& at) {
    return BlockAddress{at, "", 1'000'000 - static_cast<UnixMillis>(i), true};
  });
  EXPECT_EQ(apply(BlockAddress{range("11.0.0.1"), "", 2'000'000, true}), CommandOutcome::kFull);
  EXPECT_EQ(apply(BlockAddress{range("11.0.0.2"), "by hand"}), CommandOutcome::kCreated);
  EXPECT_EQ(store_->blocks()->all().size(), kMaxBlocks);
  EXPECT_EQ(store_->blocks()->find(address("10.39.15.0"), 0), nullptr) << "it ended first";
  EXPECT_NE(store_->blocks()->find(address("10.39.14.0"), 0), nullptr);
}

TEST_F(AccessTest, TheTrailTellsWhoWhatWhenAndOnWhich) {
  apply(SignUp{"ann", "", "h"});                        // of her own: not told
  apply(SignUp{"bob", "", "h", Role::kAdmin}, admin_);  // account 2
  apply(ChangeAccount{AccountId(1), {}, {}, {}, Role::kVendor}, admin_);
  apply(IssueToken{AccountId(1), "x"});
  apply(IssueToken{{}, "y", "shop", kScopeRead}, admin_);
  apply(PutGenre{{}, "Noir"}, Actor{AccountId(2), TokenId(1), ""});
  apply(DeleteItem{ItemId("movie:1")}, admin_);
  apply(BlockAddress{range("10.0.0.1"), "b", 0, true});  // the server's own
  apply(DemandErase{UserId("u")}, admin_);
  EXPECT_EQ(actions(),
            (std::vector<std::string>{"user.erase u", "address.block 10.0.0.1",
                                      "item.delete movie:1", "genre.create 1", "key.create 2",
                                      "account.change 1", "account.create 2"}));
  const auto all = store_->trail({}, 1'000);
  EXPECT_EQ(all[5].details, R"({"username":false,"email":false,"password":false,"role":"vendor"})");
  EXPECT_EQ(all[5].actor, admin_);
  EXPECT_EQ(all[5].time, 1'002);
  EXPECT_EQ(all[2].outcome, CommandOutcome::kNotFound) << "there is no such item";
  EXPECT_EQ(all[1].actor, Actor{});
}

TEST_F(AccessTest, TheTrailIsSearchedAndPaged) {
  for (int i = 0; i < 5; ++i) apply(PutGenre{{}, "g" + std::to_string(i)}, admin_);
  apply(DeleteGenre{GenreId(1)}, Actor{AccountId(8), TokenId(1), ""});
  EXPECT_EQ(actions({.account = AccountId(8)}).size(), 1u);
  EXPECT_EQ(actions({.action = "genre.create"}).size(), 5u);
  EXPECT_EQ(actions({.action = "genre"}).size(), 6u);
  EXPECT_EQ(actions({.action = "gen"}).size(), 0u);
  EXPECT_EQ(actions({.subject = "1"}).size(), 2u);
  EXPECT_EQ(actions({.since = 1'001, .until = 1'003}).size(), 2u);
  const auto page = store_->trail({}, 2);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[1].offset, 4);
  EXPECT_EQ(store_->trail({.before = 4}, 2)[0].offset, 3);
}

TEST_F(AccessTest, ARequestWithManyRecordsIsToldOnce) {
  for (int i = 0; i < 3; ++i) {
    Item item;
    item.id = ItemId("movie:" + std::to_string(i));
    item.kind = "movie";
    apply("bulk#" + std::to_string(i), item, admin_);
  }
  apply("bulk2#0", DeleteItem{ItemId("movie:1")}, admin_);
  reopen();
  const auto all = store_->trail({}, 10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].subject, "movie:0");
  EXPECT_EQ(all[1].count, 3u);
}

TEST_F(AccessTest, JournalsKeepTheirNewestEntriesOverAReopen) {
  for (int i = 0; i < 1'010; ++i) {
    apply(Notice{NoticeKind::kAnomaly, std::to_string(i), R"({"kind":"rate"})"});
  }
  apply(Notice{NoticeKind::kReport, "", R"({"n":1})"});
  reopen();
  const auto anomalies = store_->anomalies({}, 10'000);
  ASSERT_EQ(anomalies.size(), 1'000u);
  EXPECT_EQ(anomalies.front().subject, "1009");
  EXPECT_EQ(anomalies.back().subject, "10");
  ASSERT_EQ(store_->reports({}, 10).size(), 1u);
  EXPECT_EQ(store_->reports({}, 10)[0].details, R"({"n":1})");
  EXPECT_TRUE(actions().empty());
}

}  // namespace
}  // namespace millrace::state
