#pragma once
#include <cstdint>
#include <string_view>

#include "schemas/account.h"

namespace millrace::serving {

// Who sent a request, as its credential says.
struct Caller {
  bool open = false;        // may do everything: no account exists yet, or the operator's process
  AccountId account;        // 0: none
  TokenId token;            // the credential's; 0: none was sent
  Role role = Role::kUser;  // of the account
  std::uint8_t scopes = 0;  // of a service's key

  bool known() const { return open || token.value != 0; }
  bool admin() const {
    return open || (account.value != 0 && role == Role::kAdmin) || (scopes & kScopeAdmin) != 0;
  }
  bool may_ingest() const { return admin() || (scopes & kScopeIngest) != 0; }
  bool may_read() const { return admin() || (scopes & kScopeRead) != 0; }
  // Is that account, which is the user of that id in events.
  bool is(std::string_view user) const {
    return account.value != 0 && user_number(user) == account.value;
  }
};

}  // namespace millrace::serving
