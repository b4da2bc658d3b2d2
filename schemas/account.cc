#include "schemas/account.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"user", "vendor", "admin"};

}  // namespace

UserId user_of(AccountId account) { return UserId(std::to_string(account.value)); }

std::optional<std::uint64_t> user_number(std::string_view user) {
  if (user.empty() || user.front() < '1' || user.front() > '9') return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (error != std::errc{} || end != user.data() + user.size()) return std::nullopt;
  return number < kMaxUserNumber ? std::optional(number) : std::nullopt;
}

std::string_view role_name(Role role) { return kRoles.at(static_cast<std::size_t>(role)); }

std::optional<Role> role_of(std::string_view name) {
  const auto found = std::find(kRoles.begin(), kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

std::string fold_name(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace millrace
