// What the catalog's log decides of stores and products.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/state/catalog_world.h"

namespace millrace::state {
namespace {

using Outcome = CommandOutcome;

class Shops : public CatalogWorld {
 protected:
  Shops() {
    EXPECT_EQ(apply(SignUp{"root", "", "", Role::kAdmin}).number, root.value);
    EXPECT_EQ(apply(SignUp{"ann", "", ""}).number, ann.value);
    EXPECT_EQ(apply(SignUp{"bob", "", ""}).number, bob.value);
  }
  CommandVerdict apply(CatalogChange change) { return put(std::move(change)).value(); }
  PutProduct lamp(AccountId by, std::uint64_t store = 0) {
    return {0, by, store, "Lamp", "Bright.", "10.00", "Light", 5, 0};
  }
  const CatalogItem* find(const std::string& id) {
    view_ = store_->view();
    const auto index = items_->find(id);
    return index ? view_->find(*index) : nullptr;
  }

  const AccountId root{1}, ann{2}, bob{3};
  std::shared_ptr<const CatalogView> view_;
};

TEST_F(Shops, AProductGoesIntoTheStoreThatTheRulesName) {
  EXPECT_EQ(apply(lamp(ann)).outcome, Outcome::kNoStore);
  EXPECT_EQ(apply(lamp(root)).outcome, Outcome::kNoStore);
  EXPECT_EQ(apply(PutStore{0, ann, "First"}), (CommandVerdict{Outcome::kCreated, 1}));
  EXPECT_EQ(apply(PutStore{0, ann, "Second"}), (CommandVerdict{Outcome::kCreated, 2}));
  EXPECT_EQ(apply(PutStore{0, root, "Root's"}), (CommandVerdict{Outcome::kCreated, 3}));
  EXPECT_EQ(apply(lamp(ann)), (CommandVerdict{Outcome::kCreated, 1}));
  EXPECT_EQ(find("product:1")->item.parent.value, "store:1");
  EXPECT_EQ(apply(lamp(ann, 2)).number, 2u);
  EXPECT_EQ(find("product:2")->item.parent.value, "store:2");
  EXPECT_EQ(apply(lamp(root)).outcome, Outcome::kNoStore) << "admins name one";
  EXPECT_EQ(apply(lamp(root, 2)).outcome, Outcome::kCreated);
  EXPECT_EQ(apply(lamp(ann, 9)).outcome, Outcome::kNoParent);
  EXPECT_EQ(apply(lamp(bob, 2)).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(lamp(AccountId(), 2)).outcome, Outcome::kCreated) << "a key";
  EXPECT_EQ(store_->highest_number("product"), 4u) << "what is refused takes no number";
}

TEST_F(Shops, WhoMayChangeIsDecidedWhenTheCommandsTurnComes) {
  apply(PutStore{0, ann, "Corner"});
  apply(lamp(ann));
  EXPECT_EQ(apply(PutStore{1, bob, "Mine"}).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(PutProduct{1, bob, 0, "Mine"}).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(DeleteOwned{ItemId("product:1"), bob}).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(DeleteOwned{ItemId("store:1"), bob}).outcome, Outcome::kForbidden);
  apply(PutStore{0, bob, "Bob's"});
  EXPECT_EQ(apply(PutProduct{1, ann, 2}).outcome, Outcome::kForbidden) << "into bob's";
  // An admin gives the store away: what ann asked for before comes too late.
  Item corner = find("store:1")->item;
  corner.attributes = R"({"owner":3})";
  apply(corner);
  EXPECT_EQ(apply(PutProduct{1, ann, 0, "Late"}).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(PutProduct{1, bob, 0, "Bob's lamp"}).outcome, Outcome::kReplaced);
  apply(ChangeAccount{root, {}, {}, {}, Role::kUser});
  EXPECT_EQ(apply(PutProduct{1, root, 0, "x"}).outcome, Outcome::kForbidden) << "no admin now";
  EXPECT_EQ(find("product:1")->item.title, "Bob's lamp");
  apply(CloseAccount{ann});
  EXPECT_EQ(apply(PutStore{0, ann, "Ghost"}).outcome, Outcome::kForbidden);
  EXPECT_EQ(apply(PutProduct{9, bob, 0, "x"}).outcome, Outcome::kNotFound);
  EXPECT_EQ(apply(DeleteOwned{ItemId("store:9"), root}).outcome, Outcome::kNotFound);
}

TEST_F(Shops, WhatAChangeLeavesOutStays) {
  apply(PutStore{0, ann, "Corner"});
  apply(lamp(ann));
  PutProduct change{1, ann};
  change.price = "12.50";
  apply(change);
  EXPECT_EQ(find("product:1")->item.title, "Lamp");
  EXPECT_EQ(find("product:1")->item.price, "12.50");
  EXPECT_EQ(find("product:1")->item.categories, std::vector<std::string>{"Light"});
  EXPECT_EQ(find("product:1")->item.attributes,
            R"({"description":"Bright.","quantity":5,"sold_before":0})");
  change = PutProduct{1, ann};
  change.quantity = 7;
  change.sold_before = 3;
  apply(change);
  ASSERT_TRUE(find("product:1")->stock.has_value());
  EXPECT_EQ(find("product:1")->stock->quantity, 7u);
  EXPECT_EQ(find("product:1")->stock->sold_before, 3u);
  EXPECT_TRUE(view_->stocked(find("product:1")->index));
  EXPECT_FALSE(view_->stocked(find("store:1")->index));
  Item odd;
  odd.id = ItemId("product:9");
  odd.kind = "product";
  odd.attributes = R"({"quantity":"many"})";
  apply(odd);
  EXPECT_FALSE(find("product:9")->stock.has_value());
}

TEST_F(Shops, AStoreTakesItsProductsAndAnAccountItsStores) {
  apply(PutStore{0, ann, "A"});
  apply(PutStore{0, ann, "B"});
  apply(PutStore{0, bob, "C"});
  for (const auto store : {1, 2, 2}) apply(lamp(ann, static_cast<std::uint64_t>(store)));
  apply(lamp(bob));
  EXPECT_EQ(store_->view()->stores_of(ann).size(), 2u);
  EXPECT_EQ(apply(DeleteOwned{ItemId("store:1"), ann}).outcome, Outcome::kDeleted);
  EXPECT_EQ(find("product:1"), nullptr);
  EXPECT_NE(find("product:2"), nullptr);
  EXPECT_EQ(apply(CloseAccount{ann}).outcome, Outcome::kDeleted);
  EXPECT_EQ(find("store:2"), nullptr);
  EXPECT_EQ(find("product:2"), nullptr);
  EXPECT_EQ(find("product:3"), nullptr);
  EXPECT_NE(find("product:4"), nullptr);
  EXPECT_TRUE(store_->view()->stores_of(ann).empty());
  EXPECT_EQ(store_->view()->items(), 2u);
}

TEST_F(Shops, ARestartAndAReplayFindTheSame) {
  apply(PutStore{0, ann, "A"});
  apply(lamp(ann));
  apply(PutRate{"EUR", Rate{"0.92", 2}});
  apply(PutRate{"JPY", Rate{"149.5", 0}});
  apply(PutRate{"EUR", Rate{"0.93", 2}});
  apply(DeleteRate{"KWD"});
  apply(DeleteRate{"JPY"});
  ASSERT_TRUE(store_->commit());
  const auto digest = store_->digest();
  open();
  EXPECT_EQ(store_->digest(), digest);
  EXPECT_EQ(store_->scan_digest().value(), digest);
  EXPECT_EQ(*store_->rates(), (Rates{{"EUR", Rate{"0.93", 2}}}));
  EXPECT_EQ(store_->view()->stores_of(ann).size(), 1u);
  EXPECT_EQ(find("product:1")->stock->quantity, 5u);
  EXPECT_EQ(apply(PutProduct{1, bob, 0, "x"}).outcome, Outcome::kForbidden);
}

}  // namespace
}  // namespace millrace::state
