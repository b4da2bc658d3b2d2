#pragma once
#include <string>

#include "base/clock.h"
#include "schemas/account.h"
#include "schemas/address.h"

namespace millrace {

// Who asked for a change as an administrator or by a service's key; nothing of it: the server
// itself, or whoever has its data folder.
struct Actor {
  AccountId account;    // 0: none
  TokenId token;        // the credential's; 0: none
  std::string address;  // where the request came from; empty: from within
  friend bool operator==(const Actor&, const Actor&) = default;
};

// ---- Changes in the catalog's log.

// Requests from these addresses are refused until then. Again: in place of what was said before.
struct BlockAddress {
  AddressRange range;
  std::string reason;
  UnixMillis until = 0;    // 0: for ever
  bool automatic = false;  // the server's own decision
  friend bool operator==(const BlockAddress&, const BlockAddress&) = default;
};

struct UnblockAddress {
  AddressRange range;
  friend bool operator==(const UnblockAddress&, const UnblockAddress&) = default;
};

enum class NoticeKind : std::uint8_t {  // stored: never change one
  kAnomaly = 1,                         // of an address: `subject`
  kReport = 2,                          // of an audit
};

// What a server has noticed and wants kept, for every node to show.
struct Notice {
  NoticeKind kind = NoticeKind::kAnomaly;
  std::string subject;
  std::string details;  // a JSON object
  friend bool operator==(const Notice&, const Notice&) = default;
};

}  // namespace millrace
