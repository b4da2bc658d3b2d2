#pragma once
#include <optional>

#include "serving/deps.h"
#include "serving/http/options.h"

namespace millrace::serving {

// Tells who a request's credential says it is from, and who may call a route: the rules of Policy.
// Policy::kSecret also takes the header CLIENT_HEADER_SECRET, or Client-Header-Secret.
// A credential is sent as `Authorization: Bearer`, `Authorization: Token` or `X-API-Key`; one that
// is not known or has expired is a 401, on public routes, too. Before the first account or key has
// ever existed everything is open, which is why the server then listens on loopback only.
Authorize authorize_with(const Deps& deps);

// Who sends a token; nothing when there is none, it has expired, or its account is gone.
std::optional<Caller> caller_of(const state::Token* token, const state::AccountsView& accounts,
                                UnixMillis now);

// Who the credential of a request is from; nothing when it sends none, or none that is good.
std::optional<Caller> caller_of(const Request& request, const state::AccountsView& accounts,
                                UnixMillis now);

// Behind the end of a catalog that other nodes write too; null when none does.
CatchUp catch_up_with(const Deps& deps);

}  // namespace millrace::serving
