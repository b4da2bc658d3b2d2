#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/account.h"
#include "state/catalog_numbers.h"
#include "state/command_outcomes.h"
#include "state/cow_map.h"
#include "state/fact_rows.h"

namespace millrace::state {

struct Account {
  AccountId id;
  std::string username;
  std::string email;          // empty: none
  std::string password_hash;  // empty: no password opens it
  Role role = Role::kUser;
  UnixMillis joined = 0;  // log time of the sign-up
};

struct Token {
  TokenId id;
  AccountId account;        // 0: a service's key
  std::string hash;         // of the secret
  std::string name;         // empty: none
  std::uint8_t scopes = 0;  // of a service's key
  UnixMillis created = 0;   // log time
  UnixMillis expires = 0;   // 0: never
};

// Accounts and their tokens at one offset of the catalog: immutable, cheap to hold. Pointers are
// valid as long as the view; nullptr: there is none.
class AccountsView {
 public:
  const Account* find(AccountId id) const;
  const Account* find_name(std::string_view username) const;  // upper or lower case
  const Account* find_email(std::string_view email) const;    // upper or lower case
  const Token* find_token(TokenId id) const;
  const Token* find_secret(const std::string& hash) const;       // expired ones, too
  std::vector<const Token*> tokens_of(AccountId account) const;  // 0: services' keys; oldest first
  std::vector<const Account*> all() const;                       // ascending by id
  std::size_t size() const { return accounts_.size(); }
  // An account or a key has existed: from then on nothing is open to everybody.
  bool any_ever() const { return any_ever_; }
  std::size_t memory_bytes() const;  // about

 private:
  friend class Accounts;
  CowMap<std::uint64_t, std::shared_ptr<const Account>> accounts_;
  CowMap<std::string, std::uint64_t> names_;   // folded -> account
  CowMap<std::string, std::uint64_t> emails_;  // folded -> account
  CowMap<std::uint64_t, std::shared_ptr<const Token>> tokens_;
  CowMap<std::string, std::uint64_t> hashes_;                  // of secrets -> token
  CowMap<std::uint64_t, std::vector<std::uint64_t>> held_by_;  // account -> tokens, ascending
  bool any_ever_ = false;
};

// More tokens than these, and an account's oldest end.
inline constexpr std::size_t kMaxTokensOfAccount = 100;

// Applies what the catalog's log says of accounts: depends on the records, their log times and
// nothing else. One thread.
class Accounts {
 public:
  Accounts(FactRows& rows, CatalogNumbers& numbers) : rows_(rows), numbers_(numbers) {}

  CommandVerdict apply(const SignUp& sign_up, UnixMillis log_time);
  CommandVerdict apply(const ChangeAccount& change);
  CommandVerdict apply(const CloseAccount& close);
  CommandVerdict apply(const IssueToken& issue, UnixMillis log_time);
  CommandVerdict apply(const RevokeToken& revoke);
  CommandVerdict apply(const ReserveUsers& reserve);

  // nullptr: there is none.
  const Account* find(AccountId id) const { return now_.find(id); }
  std::uint64_t highest_user() const;  // minted or reserved; any thread

  // Everything so far; the same one as long as nothing changes.
  std::shared_ptr<const AccountsView> view();

  // On opening. kCorrupt.
  Status restore_account(std::string_view key, std::string_view row);
  Status restore_token(std::string_view key, std::string_view row);

 private:
  void put(const std::shared_ptr<const Account>& account);
  void put(const std::shared_ptr<const Token>& token);
  void place(const std::shared_ptr<const Token>& token);
  void erase(TokenId id);
  void erase_tokens_of(AccountId account);
  bool taken(const CowMap<std::string, std::uint64_t>& by, const std::string& text,
             AccountId except) const;

  FactRows& rows_;
  CatalogNumbers& numbers_;
  AccountsView now_;
  std::shared_ptr<const AccountsView> shared_;  // null: something changed since
};

}  // namespace millrace::state
