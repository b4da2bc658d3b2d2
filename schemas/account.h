#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/strong_id.h"
#include "schemas/ids.h"

namespace millrace {

// Numbers that the catalog mints, from 1.
using AccountId = StrongId<std::uint64_t, struct AccountIdTag>;
using TokenId = StrongId<std::uint64_t, struct TokenIdTag>;

// Account n is the user "n" of events. Numbers from here on are never minted, nor reserved.
inline constexpr std::uint64_t kMaxUserNumber = std::uint64_t{1} << 31;

// The user that an account is in events.
UserId user_of(AccountId account);
// The number that a user id is the plain decimal text of, 1 to kMaxUserNumber - 1; else nothing.
std::optional<std::uint64_t> user_number(std::string_view user);

enum class Role : std::uint8_t { kUser = 0, kVendor = 1, kAdmin = 2 };  // stored: never change one
std::string_view role_name(Role role);
std::optional<Role> role_of(std::string_view name);

// What a service's key may do; bits, stored: never change one.
inline constexpr std::uint8_t kScopeIngest = 1;
inline constexpr std::uint8_t kScopeRead = 2;
inline constexpr std::uint8_t kScopeAdmin = 4;

// User names and e-mail addresses are ASCII; they are the same when their small letters are.
std::string fold_name(std::string_view text);

// ---- Changes in the catalog's log. Who may ask for them was checked before they were appended;
// ---- that names and addresses are taken by one account only, applying decides.

struct SignUp {
  std::string username;
  std::string email;          // empty: none
  std::string password_hash;  // empty: no password opens it
  Role role = Role::kUser;
  friend bool operator==(const SignUp&, const SignUp&) = default;
};

// What is absent stays. A new password revokes all tokens of the account.
struct ChangeAccount {
  AccountId id;
  std::optional<std::string> username{};
  std::optional<std::string> email{};
  std::optional<std::string> password_hash{};
  std::optional<Role> role{};
  friend bool operator==(const ChangeAccount&, const ChangeAccount&) = default;
};

// Ends the account and its tokens, and erases the person in all facts.
struct CloseAccount {
  AccountId id;
  friend bool operator==(const CloseAccount&, const CloseAccount&) = default;
};

// A credential of an account, or, without one, a service's key. The log never holds the secret.
struct IssueToken {
  AccountId account;        // 0: a service's key
  std::string hash;         // of the secret: token_hash() in base/crypto.h
  std::string name{};       // for people; empty: none
  std::uint8_t scopes = 0;  // of a service's key
  UnixMillis expires = 0;   // 0: never
  TokenId replaces{};       // 0: none; that token ends in the same instant
  friend bool operator==(const IssueToken&, const IssueToken&) = default;
};

struct RevokeToken {
  TokenId id;
  friend bool operator==(const RevokeToken&, const RevokeToken&) = default;
};

// User ids with these numbers are in use by events: accounts get higher ones.
struct ReserveUsers {
  std::uint64_t up_to = 0;
  friend bool operator==(const ReserveUsers&, const ReserveUsers&) = default;
};

}  // namespace millrace
