#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schemas/address.h"
#include "serving/http/address_table.h"
#include "serving/http/cors.h"
#include "serving/http/message.h"
#include "serving/http/token_buckets.h"
#include "state/address_blocks.h"

namespace millrace::serving {

// Requests of the surfaces that have limits of their own (Route::allowance), of one credential,
// else of one address. 0: no limit.
struct AllowanceRules {
  std::uint32_t api_per_minute = 0;
  std::uint32_t trainings_per_hour = 0;
  std::uint32_t bulk_per_hour = 0;
};

struct GateOptions {
  AddressRules addresses;        // of each client's network
  std::uint32_t per_caller = 0;  // requests a minute of an account or key; 0: no limit
  std::vector<AddressRange> trusted_proxies{};  // whose X-Forwarded-For is believed
  std::vector<std::string> cors_origins{};
  AllowanceRules allowances{};
};

// Whom the gate asks, and tells. Called from the server's threads at once; must not block.
struct GateLinks {
  std::function<std::shared_ptr<const state::BlocksView>()> blocks;
  std::function<void(const Address&)> on_abuse;  // an address failed too often
  std::function<void(const Address&, const Anomaly&)> on_anomaly;
  // Whom a request's credential belongs to, not asking what they may; an empty one: to nobody
  // known.
  std::function<Caller(const Request&)> caller;
};

// What stands before every route: who the client is behind proxies, how much it may ask for, and
// whether it is blocked. No socket. Thread-safe.
class Gate {
 public:
  // `clock` must outlive the gate.
  Gate(GateOptions options, GateLinks links, const Clock& clock);

  // Finds the client's address and takes one out of its bucket; an answer, 429, when that is empty.
  // `request.address` is the peer's before, the client's after.
  std::optional<Reply> admit(Request& request);
  // The same for who the caller is, once that is known.
  std::optional<Reply> admit_caller(Request& request);
  // The same for what the route counts against, before it is known whether the caller may call it.
  std::optional<Reply> admit_route(Request& request, Allowance allowance);
  // 403 for a client that is blocked.
  std::optional<Reply> refuse_blocked(const Request& request) const;
  // A log-in, a token or a path of this client was none. Enough of them are abuse.
  void failed(const Address& client);

  const Cors& cors() const { return cors_; }

 private:
  Address client_of(const Request& request) const;
  bool trusts(const Address& address) const;

  const GateOptions options_;
  const GateLinks links_;
  const Clock& clock_;
  const Cors cors_;
  AddressTable addresses_;
  TokenBuckets callers_;
  std::array<TokenBuckets, kAllowances> allowances_;
};

}  // namespace millrace::serving
