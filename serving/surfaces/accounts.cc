#include "serving/surfaces/accounts.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "schemas/catalog_record.h"
#include "serving/http/token_buckets.h"
#include "serving/surfaces/account_body.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/erasure.h"
#include "serving/surfaces/keys.h"
#include "serving/surfaces/pages.h"
#include "serving/surfaces/slow_work.h"
#include "serving/surfaces/tokens.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

tl::unexpected<Error> required(const char* field) {
  return fail(Code::kInvalid, "is required", field);
}

Reply no_account() { return problem({Code::kNotFound, "no account has this id", {}}); }

Reply account_reply(const state::Account& account, int status) {
  std::string body;
  JsonWriter out(body);
  append_account(out, account);
  auto reply = json_reply(std::move(body), status);
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

// What the catalog said to a sign-up or a change.
Reply verdict_reply(const Deps& deps, const std::string& command, int status) {
  const auto verdict = deps.engine->catalog().verdict(command);
  if (!verdict) return outcome_unknown(command);
  if (verdict->outcome == CommandOutcome::kNameTaken) {
    return problem({Code::kConflict, "is taken", "username"});
  }
  if (verdict->outcome == CommandOutcome::kEmailTaken) {
    return problem({Code::kConflict, "is taken", "email"});
  }
  const auto accounts = deps.engine->catalog().accounts();
  const auto* account = accounts->find(AccountId(verdict->number));
  return account == nullptr ? no_account() : account_reply(*account, status);
}

// The account that the path names, if there is one.
const state::Account* named_account(const Request& request, const state::AccountsView& accounts) {
  const auto found = request.params.find("id");
  const auto number = found == request.params.end() ? std::nullopt : user_number(found->second);
  return number ? accounts.find(AccountId(*number)) : nullptr;
}

// Only the configuration's token has a name. Without its account it would open nothing until the
// next start.
bool opened_by_configuration(const state::AccountsView& accounts, const state::Account& account) {
  const auto tokens = accounts.tokens_of(account.id);
  return std::any_of(tokens.begin(), tokens.end(),
                     [](const auto* token) { return !token->name.empty(); });
}

// ---- signing up

Result<SignUp> sign_up_of(const AccountFields& fields, const Caller& caller) {
  if (!fields.username) return required("username");
  if (!fields.email) return required("email");
  if (!fields.password) return required("password");
  MILLRACE_CHECK(check_password(*fields.password, *fields.username, *fields.email));
  const Role role = fields.role.value_or(Role::kUser);
  if (role != Role::kUser && !caller.admin()) {
    return fail(Code::kForbidden, "only admins give roles", "role");
  }
  return SignUp{*fields.username, *fields.email, {}, role};
}

Answer sign_up(const Request& request, const Deps& deps, WorkThread& hashing, TokenBuckets& limit) {
  const auto fields = JsonBody::of(request).and_then(account_fields);
  if (!fields) return problem(fields.error());
  auto asked = sign_up_of(*fields, request.caller);
  if (!asked) return problem(asked.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  const auto taken = limit.take(0, deps.clock->now());
  if (!taken.allowed) {
    return problem({Code::kExhausted, "too many sign up just now: wait a little", {}},
                   taken.wait_ms);
  }
  // Whoever sends another's Idempotency-Key is not told about the other's account.
  *name += " " + fold_name(asked->username);
  return on_work_thread(hashing, kMaxHashing,
                        [deps, asked = *asked, name = *name, password = *fields->password,
                         actor = actor_of(request)]() mutable -> Answer {
                          asked.password_hash = hash_password(password);
                          return command(deps, {name, asked, actor}, [deps, name](const Position&) {
                            return verdict_reply(deps, name, 201);
                          });
                        });
}

// ---- reading

Reply list_accounts(const Request& request, const Deps& deps) {
  const auto query = page_query(request);
  if (!query) return problem(query.error());
  const auto accounts = deps.engine->catalog().accounts();
  std::vector<const state::Account*> shown;
  if (request.caller.admin()) {
    shown = accounts->all();
  } else if (const auto* self = accounts->find(request.caller.account)) {
    shown.push_back(self);
  }
  auto reply =
      page_reply(request, deps, *query, shown.size(),
                 [&](JsonWriter& out, std::size_t at) { append_account(out, *shown[at]); });
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

Reply get_account(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* account = named_account(request, *accounts);
  return account == nullptr ? no_account() : account_reply(*account, 200);
}

// ---- changing

Answer change_account(const Request& request, const Deps& deps, WorkThread& hashing, bool whole) {
  const auto fields = JsonBody::of(request).and_then(account_fields);
  const auto accounts = deps.engine->catalog().accounts();
  const auto* account = named_account(request, *accounts);
  if (account == nullptr) return no_account();
  if (!fields) return problem(fields.error());
  if (whole && !fields->username) return problem(required("username").value());
  if (whole && !fields->email) return problem(required("email").value());
  if (fields->role && *fields->role != account->role && !request.caller.admin()) {
    return problem({Code::kForbidden, "only admins give roles", "role"});
  }
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  if (fields->role && *fields->role != account->role &&
      opened_by_configuration(*accounts, *account)) {
    return problem({Code::kConflict, "this is the configuration's administrator", "role"});
  }
  const auto actor = actor_of(request);
  ChangeAccount change{account->id, fields->username, fields->email, {}, fields->role};
  const auto answer = [deps, name = *name](const Position&) {
    return verdict_reply(deps, name, 200);
  };
  if (!fields->password) return command(deps, {*name, change, actor}, answer);
  if (!fields->old_password) return problem(required("old_password").value());
  const auto good = check_password(*fields->password, change.username.value_or(account->username),
                                   change.email.value_or(account->email));
  if (!good) return problem(good.error());
  return on_work_thread(
      hashing, kMaxHashing,
      [deps, change, answer, actor, name = *name, fields = *fields,
       old_hash = account->password_hash]() mutable -> Answer {
        if (!verify_password(old_hash, *fields.old_password)) {
          return problem({Code::kInvalid, "is not the present password", "old_password"});
        }
        change.password_hash = hash_password(*fields.password);
        return command(deps, {name, change, actor}, answer);
      });
}

Answer close_account(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* account = named_account(request, *accounts);
  if (account == nullptr) return no_account();
  if (opened_by_configuration(*accounts, *account)) {
    return problem({Code::kConflict,
                    "this is the configuration's administrator: take the admin token away there",
                    {}});
  }
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return erase_person(deps, {*std::move(name), CloseAccount{account->id}, actor_of(request)},
                      user_of(account->id).value);
}

}  // namespace

std::vector<Route> account_routes(const Deps& deps) {
  const auto hashing = std::make_shared<WorkThread>();
  const auto sign_ups = std::make_shared<TokenBuckets>(deps.options.accounts.sign_ups);
  const auto read = [deps](auto handler) {
    return [deps, handler](const Request& request) { return when_visible(request, deps, handler); };
  };
  const auto change = [deps, hashing](bool whole) {
    return [deps, hashing, whole](const Request& request) {
      return change_account(request, deps, *hashing, whole);
    };
  };
  std::vector<Route> routes = {
      {"POST", "/api/users/", Policy::kPublic,
       [deps, hashing, sign_ups](const Request& request) {
         return sign_up(request, deps, *hashing, *sign_ups);
       }},
      {"GET", "/api/users/", Policy::kUser, read(list_accounts)},
      {"GET", "/api/users/{id}/", Policy::kSelfOrAdmin, read(get_account)},
      {"PUT", "/api/users/{id}/", Policy::kSelf, change(true)},
      {"PATCH", "/api/users/{id}/", Policy::kSelf, change(false)},
      {"DELETE", "/api/users/{id}/", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return close_account(request, deps); }},
  };
  for (auto more : {token_routes(deps, hashing), key_routes(deps)}) {
    std::move(more.begin(), more.end(), std::back_inserter(routes));
  }
  return routes;
}

}  // namespace millrace::serving
