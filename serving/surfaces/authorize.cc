#include "serving/surfaces/authorize.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/crypto.h"
#include "serving/http/problem.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

// Nothing was sent, or the secret: empty when the header holds none that is understood.
std::optional<std::string_view> credential(const Request& request) {
  if (const auto key = request.header("x-api-key")) return key;
  const auto header = request.header("authorization");
  if (!header) return std::nullopt;
  for (const std::string_view scheme : {"bearer ", "token "}) {
    if (header->size() > scheme.size() && fold_name(header->substr(0, scheme.size())) == scheme) {
      return header->substr(scheme.size());
    }
  }
  return std::string_view();
}

bool is_self(const Request& request) {
  for (const char* name : {"id", "user"}) {
    const auto found = request.params.find(name);
    if (found != request.params.end()) return request.caller.is(found->second);
  }
  return false;
}

// Surfaces whose people services may read of.
bool services_read(const Route& route) {
  return route.surface == "v1" || route.surface == "engine";
}

bool may_call(const Request& request, const Route& route) {
  const Caller& caller = request.caller;
  if (caller.open) return true;
  switch (route.policy) {
    case Policy::kAlways:
    case Policy::kPublic: return true;
    case Policy::kUser: return caller.account.value != 0 || caller.admin();
    case Policy::kSelf: return is_self(request);
    case Policy::kSelfOrAdmin:
      return is_self(request) || caller.admin() ||
             (route.method == "GET" && services_read(route) && caller.may_read());
    case Policy::kAdmin: return caller.admin();
    case Policy::kListen:
      return caller.account.value != 0 || caller.may_read() || request.query_value("ticket");
    case Policy::kIngest: return caller.may_ingest() || caller.account.value != 0;
    case Policy::kSecret:
      return caller.account.value == 0 &&
             (route.method == "GET" ? caller.may_read() : caller.may_ingest());
  }
  return false;
}

std::optional<std::string_view> client_secret(const Request& request) {
  const auto plain = request.header(kSecretHeader);
  return plain ? plain : request.header(kSecretHeaderOfProxies);
}

// For routes of Policy::kSecret. Nothing: a credential has to prove it.
std::optional<Reply> check_client_secret(Request& request, const std::string& secret) {
  const auto sent = client_secret(request);
  if (secret.empty() && (sent || !credential(request))) {
    return problem(
        {Code::kForbidden, "closed: the server was started without CLIENT_HEADER_SECRET", {}});
  }
  if (!sent) return std::nullopt;
  if (!same_secret(*sent, secret)) {
    return problem({Code::kUnauthorized, "CLIENT_HEADER_SECRET is not the server's", {}});
  }
  request.caller.scopes = kScopeIngest | kScopeRead;
  return std::nullopt;
}

}  // namespace

std::optional<Caller> caller_of(const state::Token* token, const state::AccountsView& accounts,
                                UnixMillis now) {
  if (token == nullptr || (token->expires != 0 && token->expires <= now)) return std::nullopt;
  Caller caller;
  caller.token = token->id;
  caller.scopes = token->scopes;
  if (token->account.value == 0) return caller;
  const auto* account = accounts.find(token->account);
  if (account == nullptr) return std::nullopt;
  caller.account = account->id;
  caller.role = account->role;
  return caller;
}

std::optional<Caller> caller_of(const Request& request, const state::AccountsView& accounts,
                                UnixMillis now) {
  const auto secret = credential(request);
  if (!secret) return std::nullopt;
  return caller_of(accounts.find_secret(token_hash(*secret)), accounts, now);
}

Authorize authorize_with(const Deps& deps) {
  return [engine = deps.engine, clock = deps.clock, client_secret = deps.options.client_secret](
             Request& request, const Route& route) -> std::optional<Reply> {
    if (route.policy == Policy::kAlways) return std::nullopt;
    const bool secret_route = route.policy == Policy::kSecret;
    if (secret_route) {
      auto refusal = check_client_secret(request, client_secret);
      if (refusal || request.caller.scopes != 0) return refusal;
    }
    const auto accounts = engine->catalog().accounts();
    if (!accounts->any_ever() && !secret_route) {
      request.caller.open = true;
      return std::nullopt;
    }
    const bool sent = credential(request).has_value();
    if (sent) {
      const auto caller = caller_of(request, *accounts, clock->now());
      if (!caller) {
        return problem({Code::kUnauthorized, "this credential is not known or has expired", {}});
      }
      request.caller = *caller;
    }
    if (may_call(request, route)) return std::nullopt;
    if (!sent) {
      return problem({Code::kUnauthorized, "send a token: Authorization: Bearer …", {}});
    }
    return problem({Code::kForbidden, "this credential does not allow that", {}});
  };
}

CatchUp catch_up_with(const Deps& deps) {
  if (!deps.log->shared()) return nullptr;
  return [deps](std::function<void(bool)> then) { catch_up_with_catalog(deps, std::move(then)); };
}

}  // namespace millrace::serving
