#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/account.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/json_body.h"
#include "state/accounts.h"

namespace millrace::serving {

// What accounts look like in requests and answers.

inline constexpr std::size_t kMinPassword = 8;    // bytes
inline constexpr std::size_t kMaxPassword = 128;  // bytes

// What a body says of an account; absent: it says nothing.
struct AccountFields {
  std::optional<std::string> username;
  std::optional<std::string> email;
  std::optional<std::string> password;
  std::optional<std::string> old_password;
  std::optional<Role> role;
};
// kInvalid names the member: a user name is 1 to 150 letters, digits and . + - _ of ASCII, an
// e-mail address is shaped like one, a password obeys check_password().
Result<AccountFields> account_fields(const JsonBody& body);

// 8 to 128 bytes, none of the most common ones, and not the user name or the address itself.
Status check_password(std::string_view password, std::string_view username, std::string_view email);

// serving/surfaces/common_passwords.txt as it was when this was built: one a line, small letters.
std::string_view common_passwords();

// One object: id, username, email, role, date_joined.
void append_account(JsonWriter& out, const state::Account& account);

}  // namespace millrace::serving
