#include "serving/surfaces/keys.h"

#include <array>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "schemas/catalog_record.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxKeyName = 128;
constexpr std::int64_t kMaxDays = 36'500;
constexpr UnixMillis kDayMs = 24LL * 3'600'000;

struct NamedScope {
  std::string_view name;
  std::uint8_t bit;
};
constexpr std::array<NamedScope, 3> kScopes = {
    {{"ingest", kScopeIngest}, {"read", kScopeRead}, {"admin", kScopeAdmin}}};

Result<std::uint8_t> scopes_of(const JsonBody& body) {
  const Json* list = body.find("scopes");
  std::uint8_t scopes = 0;
  for (const Json& one : list == nullptr ? std::vector<Json>() : list->elements) {
    std::uint8_t bit = 0;
    for (const auto& known : kScopes) {
      if (one.kind == JsonKind::kString && one.text == known.name) bit = known.bit;
    }
    if (bit == 0) return fail(Code::kInvalid, "must be of ingest, read and admin", "scopes");
    scopes = static_cast<std::uint8_t>(scopes | bit);
  }
  if (scopes == 0) {
    return fail(Code::kInvalid, "must be a list of at least one of ingest, read, admin", "scopes");
  }
  return scopes;
}

// The members of a key; its secret only when it has just been made.
void append_key(JsonWriter& out, const state::Token& key, const std::string& secret) {
  out.begin_object();
  out.member("id", key.id.value);
  out.member("name", key.name);
  out.key("scopes");
  out.begin_array();
  for (const auto& scope : kScopes) {
    if ((key.scopes & scope.bit) != 0) out.value(scope.name);
  }
  out.end_array();
  out.member("created_at", rfc3339(key.created));
  append_time(out, "expires_at", key.expires);
  if (!secret.empty()) out.member("key", secret);
  out.end_object();
}

Reply no_key() { return problem({Code::kNotFound, "no key has this id", {}}); }

// A key, not an account's token.
const state::Token* named_key(const Request& request, const state::AccountsView& accounts) {
  const auto found = request.params.find("id");
  const auto number = found == request.params.end() ? std::nullopt : user_number(found->second);
  const auto* key = number ? accounts.find_token(TokenId(*number)) : nullptr;
  return key == nullptr || key->account.value != 0 ? nullptr : key;
}

Reply list_keys(const Request&, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("keys");
  out.begin_array();
  for (const auto* key : accounts->tokens_of({})) append_key(out, *key, {});
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

// A secret is answered once: the request's Idempotency-Key stands for nothing here.
Answer issue(const Request& request, const Deps& deps, IssueToken key, const std::string& secret,
             int status) {
  auto name = deps.ids->mint();
  return command(deps, {name, std::move(key), actor_of(request)},
                 [deps, name, secret, status](const Position&) {
                   const auto verdict = deps.engine->catalog().verdict(name);
                   const auto accounts = deps.engine->catalog().accounts();
                   const auto* made = verdict && verdict->outcome == CommandOutcome::kCreated
                                          ? accounts->find_token(TokenId(verdict->number))
                                          : nullptr;
                   if (made == nullptr) return no_key();
                   std::string body;
                   JsonWriter out(body);
                   append_key(out, *made, secret);
                   auto reply = json_reply(std::move(body), status);
                   reply.headers.emplace_back("Cache-Control", "no-store");
                   return reply;
                 });
}

Answer create_key(const Request& request, const Deps& deps) {
  const auto secret = random_secret();
  const auto read = [&]() -> Result<IssueToken> {
    MILLRACE_TRY(const auto body, JsonBody::of(request));
    IssueToken key{AccountId(), token_hash(secret)};
    MILLRACE_TRY(key.name, body.required_line("name", kMaxKeyName));
    MILLRACE_TRY(key.scopes, scopes_of(body));
    MILLRACE_TRY(const auto days, body.integer("expires_in_days", 1, kMaxDays));
    if (days) key.expires = deps.clock->now() + *days * kDayMs;
    return key;
  };
  auto key = read();
  if (!key) return problem(key.error());
  return issue(request, deps, *std::move(key), secret, 201);
}

Answer rotate_key(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* old = named_key(request, *accounts);
  if (old == nullptr) return no_key();
  const auto secret = random_secret();
  return issue(request, deps,
               {{}, token_hash(secret), old->name, old->scopes, old->expires, old->id}, secret,
               200);
}

Answer revoke_key(const Request& request, const Deps& deps) {
  const auto accounts = deps.engine->catalog().accounts();
  const auto* key = named_key(request, *accounts);
  if (key == nullptr) return no_key();
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return command(deps, {*name, RevokeToken{key->id}, actor_of(request)},
                 [deps, name = *name](const Position&) {
                   const bool gone =
                       deps.engine->catalog().outcome(name) == CommandOutcome::kDeleted;
                   return gone ? no_content() : no_key();
                 });
}

}  // namespace

std::vector<Route> key_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  return {
      {"GET", "/v1/admin/keys", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list_keys); }},
      {"POST", "/v1/admin/keys", Policy::kAdmin, with(create_key)},
      {"POST", "/v1/admin/keys/{id}/rotate", Policy::kAdmin, with(rotate_key)},
      {"DELETE", "/v1/admin/keys/{id}", Policy::kAdmin, with(revoke_key)},
  };
}

}  // namespace millrace::serving
