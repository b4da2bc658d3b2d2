#pragma once
#include <optional>

#include "schemas/access.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Whom the audit trail names for a change that a request asks for. Nothing for what people do of
// their own.
inline std::optional<Actor> actor_of(const Request& request) {
  const Caller& caller = request.caller;
  if (!caller.admin() && caller.scopes == 0) return std::nullopt;
  return Actor{caller.account, caller.token, request.address.text()};
}

}  // namespace millrace::serving
