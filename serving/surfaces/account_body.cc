#include "serving/surfaces/account_body.h"

#include <algorithm>
#include <unordered_set>

#include "schemas/rfc3339.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxUsername = 150, kMaxEmail = 254, kMaxDomainLabel = 63;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_domain(std::string_view domain) {
  std::size_t labels = 0;
  while (true) {
    const auto label = domain.substr(0, domain.find('.'));
    if (label.empty() || label.size() > kMaxDomainLabel || !all_of(label, "-") ||
        label.front() == '-' || label.back() == '-') {
      return false;
    }
    ++labels;
    if (label.size() == domain.size()) return labels > 1;
    domain.remove_prefix(label.size() + 1);
  }
}

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const auto local = text.substr(0, at);
  return all_of(local, ".!#$%&'*+/=?^_`{|}~-") && local.front() != '.' && local.back() != '.' &&
         local.find("..") == std::string_view::npos && is_domain(text.substr(at + 1));
}

bool is_common(std::string_view password) {
  static const auto known = [] {
    std::unordered_set<std::string_view> all;
    for (auto rest = common_passwords(); !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      if (!line.empty()) all.insert(line);
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return all;
  }();
  const auto folded = fold_name(password);
  const bool one_character = folded.find_first_not_of(folded.front()) == std::string::npos;
  return one_character || known.contains(folded);
}

tl::unexpected<Error> broken(const char* field, const char* rule) {
  return fail(Code::kInvalid, rule, field);
}

}  // namespace

Status check_password(std::string_view password, std::string_view username,
                      std::string_view email) {
  if (password.size() < kMinPassword || password.size() > kMaxPassword) {
    return broken("password", "must be 8 to 128 bytes");
  }
  if (is_common(password)) return broken("password", "is one of the most common ones");
  const auto folded = fold_name(password);
  if (folded == fold_name(username) || folded == fold_name(email)) {
    return broken("password", "must not be the user name or the e-mail address");
  }
  return {};
}

Result<AccountFields> account_fields(const JsonBody& body) {
  AccountFields fields;
  MILLRACE_TRY(fields.username, body.line("username", kMaxUsername));
  if (fields.username && (fields.username->empty() || !all_of(*fields.username, ".+-_"))) {
    return broken("username", "must be 1 to 150 letters, digits and . + - _");
  }
  MILLRACE_TRY(fields.email, body.line("email", kMaxEmail));
  if (fields.email && !is_email(*fields.email)) {
    return broken("email", "must be an e-mail address, like ann@example.org");
  }
  MILLRACE_TRY(fields.password, body.text("password", kMaxPassword));
  MILLRACE_TRY(fields.old_password, body.text("old_password", kMaxPassword));
  MILLRACE_TRY(const auto role, body.line("role", 16));
  if (role) {
    fields.role = role_of(*role);
    if (!fields.role) return broken("role", "must be user, vendor or admin");
  }
  return fields;
}

void append_account(JsonWriter& out, const state::Account& account) {
  out.begin_object();
  out.member("id", account.id.value);
  out.member("username", account.username);
  out.member("email", account.email);
  out.member("role", role_name(account.role));
  out.member("date_joined", rfc3339(account.joined));
  out.end_object();
}

}  // namespace millrace::serving
