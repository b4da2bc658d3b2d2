#include "serving/surfaces/tokens.h"

#include <utility>

#include "base/crypto.h"
#include "schemas/catalog_record.h"
#include "schemas/rfc3339.h"
#include "serving/http/gate.h"
#include "serving/http/token_buckets.h"
#include "serving/surfaces/account_body.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/slow_work.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxLogin = 254;  // bytes of a user name or an address

// ---- logging in

// How often a password may be tried: for each account's name, and from each address.
struct LoginLimits {
  explicit LoginLimits(const AccountOptions& options)
      : by_name(options.logins_per_account), by_address(options.logins_per_address) {}
  TokenBuckets by_name;
  TokenBuckets by_address;
};

struct Login {
  std::string name;  // user name or address
  std::string password;
  Address address;
  std::uint64_t name_key() const { return std::hash<std::string>()(fold_name(name)); }
  std::uint64_t address_key() const { return address.network().hash(); }
};

Result<Login> login_of(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  Login login;
  MILLRACE_TRY(login.name, body.required_line("username", kMaxLogin));
  MILLRACE_TRY(auto password, body.text("password", kMaxPassword));
  if (!password || password->empty()) return fail(Code::kInvalid, "is required", "password");
  login.password = *std::move(password);
  login.address = request.address;
  return login;
}

Reply too_often(std::int64_t wait_ms) {
  return problem({Code::kExhausted, "too many tries to log in: wait a little", {}}, wait_ms);
}

// Nothing when neither the name nor the address has tried too often.
std::optional<Reply> refuse_login(LoginLimits& limits, const Login& login, UnixMillis now) {
  const auto address = limits.by_address.take(login.address_key(), now);
  if (!address.allowed) return too_often(address.wait_ms);
  const auto name = limits.by_name.take(login.name_key(), now);
  if (!name.allowed) return too_often(name.wait_ms);
  return std::nullopt;
}

Reply issued_reply(const std::string& secret, UnixMillis expires) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("token", secret);
  out.member("expires_at", rfc3339(expires));
  out.end_object();
  auto reply = json_reply(std::move(body), 200);
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

// Takes as long, and says the same, for a name that there is not and for a wrong password.
Answer log_in(const Deps& deps, LoginLimits& limits, const Login& login) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* account = login.name.find('@') == std::string::npos
                            ? accounts->find_name(login.name)
                            : accounts->find_email(login.name);
  const bool has_password = account != nullptr && !account->password_hash.empty();
  const auto& hash = has_password ? account->password_hash : nobodys_password_hash();
  if (!verify_password(hash, login.password) || !has_password) {
    if (deps.gate != nullptr) deps.gate->failed(login.address);
    return problem({Code::kUnauthorized, "there is no such user name with this password", {}});
  }
  limits.by_name.give_back(login.name_key());
  limits.by_address.give_back(login.address_key());
  const auto secret = random_secret();
  const auto expires = deps.clock->now() + deps.options.accounts.token_lifetime_ms;
  auto name = deps.ids->mint();
  IssueToken issue{account->id, token_hash(secret), {}, 0, expires};
  return command(deps, {name, std::move(issue)}, [deps, name, secret, expires](const Position&) {
    if (deps.engine->catalog().outcome(name) == CommandOutcome::kCreated) {
      return issued_reply(secret, expires);
    }
    return problem({Code::kUnauthorized, "the account was closed meanwhile", {}});
  });
}

Answer post_token(const Request& request, const Deps& deps, WorkThread& hashing,
                  const std::shared_ptr<LoginLimits>& limits) {
  auto login = login_of(request);
  if (!login) return problem(login.error());
  if (auto refusal = refuse_login(*limits, *login, deps.clock->now())) return *std::move(refusal);
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  // On a shared log the account, or its new password, may be from another node a moment ago. Known
  // names take that way too, since the time an answer takes tells something.
  const auto begin = [deps, limits, &hashing, login = *std::move(login)]() -> Answer {
    return on_work_thread(hashing, kMaxHashing,
                          [deps, limits, login] { return log_in(deps, *limits, login); });
  };
  return deps.log->shared() ? behind_catalog(deps, {}, begin) : begin();
}

// ---- an account's tokens

Reply list_tokens(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("tokens");
  out.begin_array();
  if (request.caller.account.value != 0) {
    for (const auto* token : accounts->tokens_of(request.caller.account)) {
      out.begin_object();
      out.member("id", token->id.value);
      out.member("created_at", rfc3339(token->created));
      out.key("expires_at");
      if (token->expires == 0) {
        out.value(nullptr);
      } else {
        out.value(rfc3339(token->expires));
      }
      out.member("current", token->id == request.caller.token);
      out.end_object();
    }
  }
  out.end_array();
  out.end_object();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

// The configuration's token has a name, and ends with the configuration.
Answer revoke(const Request& request, const Deps& deps, const std::string& name,
              const state::Token& token) {
  if (!token.name.empty()) {
    return problem({Code::kConflict, "this is the configuration's token: change it there", {}});
  }
  return command(deps, {name, RevokeToken{token.id}, actor_of(request)},
                 [deps, name](const Position&) {
                   if (deps.engine->catalog().outcome(name) == CommandOutcome::kDeleted)
                     return no_content();
                   return problem({Code::kNotFound, "no token has this id", {}});
                 });
}

// Another's token is, to everybody but an admin, as one that there is not.
Answer revoke_token(const Request& request, const Deps& deps) {
  const auto found = request.params.find("id");
  const auto number = found == request.params.end() ? std::nullopt : user_number(found->second);
  const auto accounts = deps.engine->catalog().accounts();
  const auto* token = number ? accounts->find_token(TokenId(*number)) : nullptr;
  const bool may =
      token != nullptr && (request.caller.admin() || token->account == request.caller.account);
  if (!may) return problem({Code::kNotFound, "no token has this id", {}});
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return revoke(request, deps, *name, *token);
}

Answer sign_out(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* token = accounts->find_token(request.caller.token);
  if (token == nullptr) {
    return problem({Code::kUnauthorized, "send the token that is to end", {}});
  }
  return revoke(request, deps, deps.ids->mint(), *token);
}

}  // namespace

std::vector<Route> token_routes(const Deps& deps, const std::shared_ptr<WorkThread>& hashing) {
  const auto limits = std::make_shared<LoginLimits>(deps.options.accounts);
  return {
      {"POST", "/api/token/", Policy::kPublic,
       [deps, hashing, limits](const Request& request) {
         return post_token(request, deps, *hashing, limits);
       }},
      {"GET", "/api/token/", Policy::kUser,
       [deps](const Request& request) { return when_visible(request, deps, list_tokens); }},
      {"DELETE", "/api/token/", Policy::kUser,
       [deps](const Request& request) { return sign_out(request, deps); }},
      {"DELETE", "/api/token/{id}/", Policy::kUser,
       [deps](const Request& request) { return revoke_token(request, deps); }},
  };
}

}  // namespace millrace::serving
