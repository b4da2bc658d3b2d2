#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "serving/http/caller.h"
#include "state/accounts.h"

namespace millrace::serving {

// Stands for a credential for a short time, once, where a browser can send none but in the address.
// It is bound to the token that asked for it, by a hash keyed with what every node keeps of that
// token: any node takes it, and each takes it once. Thread-safe.
class LiveTickets {
 public:
  // Remembers at most `max_used` tickets until they end by themselves.
  LiveTickets(std::int64_t lifetime_ms, std::size_t max_used);

  struct Ticket {
    std::string text;
    UnixMillis expires = 0;
  };
  // For who was let in by `accounts`.
  Ticket issue(const Caller& caller, const state::AccountsView& accounts, UnixMillis now) const;
  // Whom it was issued to, as they are now. kUnauthorized: it is none, has ended, was used, or its
  // token has ended; kExhausted: too many were used.
  Result<Caller> redeem(std::string_view text, const state::AccountsView& accounts, UnixMillis now);

 private:
  std::string key_of(TokenId token, const state::AccountsView& accounts) const;

  const std::int64_t lifetime_ms_;
  const std::size_t max_used_;
  const std::string own_key_;  // while everything is open
  std::mutex mutex_;
  std::map<std::string, UnixMillis, std::less<>> used_;  // until when
};

}  // namespace millrace::serving
