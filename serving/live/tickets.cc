#include "serving/live/tickets.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "serving/surfaces/authorize.h"
#include "serving/surfaces/base64.h"

namespace millrace::serving {
namespace {

// TOKEN.EXPIRES.NONCE, then a dot and the keyed hash of that.
struct Parts {
  TokenId token;
  UnixMillis expires = 0;
  std::string_view signed_text;
  std::string_view hash;
};

template <class Number>
bool take_number(std::string_view& rest, Number& number) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != '.') return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  return true;
}

std::optional<Parts> parts_of(std::string_view text) {
  Parts parts;
  auto rest = text;
  if (!take_number(rest, parts.token.value) || !take_number(rest, parts.expires)) {
    return std::nullopt;
  }
  const auto dot = text.rfind('.');
  parts.signed_text = text.substr(0, dot);
  parts.hash = text.substr(dot + 1);
  return parts;
}

std::string sign(const std::string& key, std::string_view text) {
  return base64url(keyed_hash(key, "live ticket " + std::string(text)));
}

tl::unexpected<Error> no_ticket() {
  return fail(Code::kUnauthorized, "this ticket is not known, has ended or was used: ask for one");
}

}  // namespace

LiveTickets::LiveTickets(std::int64_t lifetime_ms, std::size_t max_used)
    : lifetime_ms_(lifetime_ms), max_used_(max_used), own_key_(random_secret()) {}

std::string LiveTickets::key_of(TokenId token, const state::AccountsView& accounts) const {
  if (token.value == 0) return accounts.any_ever() ? std::string() : own_key_;
  const auto* found = accounts.find_token(token);
  return found == nullptr ? std::string() : found->hash;
}

LiveTickets::Ticket LiveTickets::issue(const Caller& caller, const state::AccountsView& accounts,
                                       UnixMillis now) const {
  const auto expires = now + lifetime_ms_;
  auto text =
      std::to_string(caller.token.value) + "." + std::to_string(expires) + "." + random_secret();
  text += "." + sign(key_of(caller.token, accounts), text);
  return {std::move(text), expires};
}

Result<Caller> LiveTickets::redeem(std::string_view text, const state::AccountsView& accounts,
                                   UnixMillis now) {
  const auto parts = parts_of(text);
  if (!parts || parts->expires <= now) return no_ticket();
  const auto key = key_of(parts->token, accounts);
  if (key.empty() || !same_secret(sign(key, parts->signed_text), parts->hash)) return no_ticket();
  Caller caller;
  caller.open = parts->token.value == 0;
  if (!caller.open) {
    const auto found = caller_of(accounts.find_token(parts->token), accounts, now);
    if (!found) return no_ticket();
    caller = *found;
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(used_, [now](const auto& used) { return used.second <= now; });
  if (used_.contains(parts->hash)) return no_ticket();
  if (used_.size() >= max_used_) {
    return fail(Code::kExhausted,
                "too many tickets were used within their lifetime: wait a little");
  }
  used_.emplace(parts->hash, parts->expires);
  return caller;
}

}  // namespace millrace::serving
