#include "state/accounts.h"

#include <gtest/gtest.h>

#include "tests/state/catalog_world.h"

namespace millrace::state {
namespace {

using Change = decltype(CatalogRecord::change);

// Accounts as a catalog store has them.
class AccountsTest : public CatalogWorld {
 protected:
  AccountsTest() : view_(store_->accounts()) {}
  void open() {
    CatalogWorld::open();
    view_ = store_->accounts();
  }
  CommandVerdict apply(const CatalogChange& change) {
    const auto verdict = put(change);
    view_ = store_->accounts();
    return verdict.value_or(CommandVerdict{CommandOutcome::kNotFound, 999});
  }
  AccountId sign_up(const std::string& name, const std::string& email = {}) {
    return AccountId(apply(SignUp{name, email, "hash of " + name}).number);
  }
  TokenId issue(AccountId account, const std::string& secret, UnixMillis expires = 0) {
    return TokenId(apply(IssueToken{account, secret, "", 0, expires}).number);
  }

  std::shared_ptr<const AccountsView> view_;
};

TEST_F(AccountsTest, AreFoundByNumberNameAndAddress) {
  EXPECT_FALSE(view_->any_ever());
  const auto verdict = apply(SignUp{"Ann", "Ann@Example.org", "h", Role::kVendor});
  EXPECT_EQ(verdict, (CommandVerdict{CommandOutcome::kCreated, 1}));
  const auto* ann = view_->find(AccountId(1));
  ASSERT_NE(ann, nullptr);
  EXPECT_EQ(view_->find_name("aNN"), ann);
  EXPECT_EQ(view_->find_email("ann@example.ORG"), ann);
  EXPECT_EQ(ann->username, "Ann");
  EXPECT_EQ(ann->password_hash, "h");
  EXPECT_EQ(ann->role, Role::kVendor);
  EXPECT_EQ(ann->joined, 1'000);
  EXPECT_EQ(view_->find_name("bob"), nullptr);
  EXPECT_TRUE(view_->any_ever());
}

TEST_F(AccountsTest, NamesAndAddressesAreTakenOnceWhateverTheirCase) {
  sign_up("ann", "ann@example.org");
  EXPECT_EQ(apply(SignUp{"ANN", "b@example.org", ""}).outcome, CommandOutcome::kNameTaken);
  EXPECT_EQ(apply(SignUp{"bob", "ANN@example.org", ""}).outcome, CommandOutcome::kEmailTaken);
  EXPECT_EQ(view_->size(), 1u);
  const auto bob = sign_up("bob");
  sign_up("cat");  // without an address, as bob is
  EXPECT_EQ(apply(ChangeAccount{bob, "Ann"}).outcome, CommandOutcome::kNameTaken);
  EXPECT_EQ(apply(ChangeAccount{bob, {}, "Ann@example.org"}).outcome, CommandOutcome::kEmailTaken);
  EXPECT_EQ(apply(ChangeAccount{bob, "BOB"}).outcome, CommandOutcome::kReplaced);
  EXPECT_EQ(view_->find_name("bob")->username, "BOB");
}

TEST_F(AccountsTest, ANameIsFreeAgainWhenItsAccountIsRenamedOrClosed) {
  const auto ann = sign_up("ann", "ann@example.org");
  apply(ChangeAccount{ann, "anna", "anna@example.org"});
  const auto second = sign_up("ann", "ann@example.org");
  EXPECT_EQ(second, AccountId(2));
  EXPECT_EQ(apply(CloseAccount{ann}).outcome, CommandOutcome::kDeleted);
  EXPECT_EQ(view_->find(ann), nullptr);
  EXPECT_EQ(view_->find_name("anna"), nullptr);
  EXPECT_EQ(sign_up("anna", "anna@example.org"), AccountId(3)) << "numbers are never used again";
  EXPECT_EQ(apply(CloseAccount{ann}).outcome, CommandOutcome::kNotFound);
  EXPECT_EQ(apply(ChangeAccount{ann, "x"}).outcome, CommandOutcome::kNotFound);
}

TEST_F(AccountsTest, ClosingDemandsTheErasureOfThePerson) {
  const auto ann = sign_up("ann");
  const auto at = next_;
  apply(CloseAccount{ann});
  const auto demands = store_->demands_after(-1, 10);
  ASSERT_EQ(demands.size(), 1u);
  EXPECT_EQ(demands[0].catalog_offset, at);
  EXPECT_EQ(demands[0].erase, UserId("1"));
}

TEST_F(AccountsTest, NumbersLieAboveWhatEventsUse) {
  apply(ReserveUsers{610});
  EXPECT_EQ(sign_up("ann"), AccountId(611));
  apply(ReserveUsers{5});
  apply(ReserveUsers{kMaxUserNumber});
  EXPECT_EQ(sign_up("bob"), AccountId(612));
  EXPECT_EQ(store_->highest_user(), 612u);
}

TEST_F(AccountsTest, TokensAreFoundByTheirSecretUntilRevoked) {
  const auto ann = sign_up("ann");
  const auto first = issue(ann, "s1");
  const auto second = issue(ann, "s2", 5'000);
  EXPECT_EQ(view_->find_secret("s2")->expires, 5'000);
  EXPECT_EQ(view_->find_secret("s1")->account, ann);
  EXPECT_EQ(view_->tokens_of(ann).size(), 2u);
  EXPECT_EQ(apply(RevokeToken{first}).outcome, CommandOutcome::kDeleted);
  EXPECT_EQ(apply(RevokeToken{first}).outcome, CommandOutcome::kNotFound);
  EXPECT_EQ(view_->find_secret("s1"), nullptr);
  EXPECT_EQ(view_->tokens_of(ann).front()->id, second);
  EXPECT_EQ(apply(IssueToken{AccountId(9), "s3"}).outcome, CommandOutcome::kNotFound);
  EXPECT_EQ(view_->find_secret("s3"), nullptr);
}

TEST_F(AccountsTest, ANewPasswordAndClosingEndAllTokens) {
  const auto ann = sign_up("ann");
  issue(ann, "s1");
  apply(ChangeAccount{ann, {}, "ann@example.org"});
  EXPECT_NE(view_->find_secret("s1"), nullptr);
  apply(ChangeAccount{ann, {}, {}, "new"});
  EXPECT_EQ(view_->find_secret("s1"), nullptr);
  issue(ann, "s2");
  apply(CloseAccount{ann});
  EXPECT_EQ(view_->find_secret("s2"), nullptr);
  EXPECT_TRUE(view_->tokens_of(ann).empty());
}

TEST_F(AccountsTest, AKeyIsReplacedInOneInstant) {
  const auto old = TokenId(apply(IssueToken{{}, "k1", "app", kScopeIngest}).number);
  const auto fresh = apply(IssueToken{{}, "k2", "app", kScopeIngest, 0, old});
  EXPECT_EQ(fresh.outcome, CommandOutcome::kCreated);
  EXPECT_EQ(view_->find_secret("k1"), nullptr);
  EXPECT_EQ(view_->find_secret("k2")->scopes, kScopeIngest);
  EXPECT_EQ(apply(IssueToken{{}, "k3", "app", kScopeIngest, 0, old}).outcome,
            CommandOutcome::kNotFound)
      << "what is gone cannot be replaced";
  EXPECT_EQ(view_->tokens_of({}).size(), 1u);
}

TEST_F(AccountsTest, AnAccountHoldsSoManyTokensAndNoExpiredOnes) {
  const auto ann = sign_up("ann");
  issue(ann, "expired", 1);
  issue(ann, "first");
  EXPECT_EQ(view_->find_secret("expired"), nullptr);
  for (std::size_t i = 1; i < kMaxTokensOfAccount; ++i) issue(ann, "s" + std::to_string(i));
  EXPECT_NE(view_->find_secret("first"), nullptr);
  issue(ann, "last");
  EXPECT_EQ(view_->find_secret("first"), nullptr);
  EXPECT_EQ(view_->tokens_of(ann).size(), kMaxTokensOfAccount);
}

TEST_F(AccountsTest, ViewsTakenEarlierStayAsTheyWere) {
  const auto ann = sign_up("ann");
  const auto before = view_;
  apply(ChangeAccount{ann, "anna"});
  sign_up("bob");
  EXPECT_EQ(before->find(ann)->username, "ann");
  EXPECT_EQ(before->size(), 1u);
  EXPECT_EQ(before->find_name("bob"), nullptr);
  EXPECT_EQ(store_->accounts(), view_);
  apply(DeleteItem{ItemId("movie:1")});
  EXPECT_EQ(store_->accounts(), view_) << "nothing of accounts changed";
}

TEST_F(AccountsTest, AllComeInOrderOfTheirNumbers) {
  for (int i = 1; i <= 600; ++i) sign_up("u" + std::to_string(i));
  const auto all = view_->all();
  ASSERT_EQ(all.size(), 600u);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]->id.value, i + 1);
}

TEST_F(AccountsTest, AreThereAfterAReopenWithTheSameDigest) {
  const auto ann = sign_up("ann", "ann@example.org");
  const auto bob = sign_up("bob");
  issue(ann, "s1", 77);
  issue(bob, "s2");
  apply(IssueToken{{}, "k1", "app", kScopeRead});
  apply(ChangeAccount{ann, "anna"});
  apply(CloseAccount{bob});
  ASSERT_TRUE(store_->commit());
  const auto digest = store_->digest();
  EXPECT_EQ(*store_->scan_digest(), digest);
  open();
  EXPECT_EQ(store_->digest(), digest);
  EXPECT_EQ(view_->size(), 1u);
  EXPECT_EQ(view_->find_email("ann@example.org")->username, "anna");
  EXPECT_EQ(view_->find_secret("s1")->expires, 77);
  EXPECT_EQ(view_->find_secret("s2"), nullptr);
  EXPECT_EQ(view_->tokens_of({}).front()->name, "app");
  EXPECT_EQ(store_->verdict("c0"), (CommandVerdict{CommandOutcome::kCreated, 1}));
  EXPECT_EQ(sign_up("cat"), AccountId(3));
}

TEST_F(AccountsTest, NothingIsOpenAgainWhenTheLastAccountIsClosed) {
  apply(CloseAccount{sign_up("ann")});
  EXPECT_EQ(view_->size(), 0u);
  EXPECT_TRUE(view_->any_ever());
  ASSERT_TRUE(store_->commit());
  open();
  EXPECT_TRUE(view_->any_ever());
}

}  // namespace
}  // namespace millrace::state
