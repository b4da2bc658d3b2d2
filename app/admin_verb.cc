#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "app/open_target.h"
#include "app/units.h"
#include "app/verbs.h"
#include "base/crypto.h"
#include "schemas/json_value.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct AdminFlags {
  std::string action;
  TargetFlags target;
  std::string username, email, password;  // of create-admin
  std::string name;                       // of create-key
  std::vector<std::string> scopes;
  std::uint32_t days = 0;
  std::uint64_t id = 0;                   // of rotate-key and revoke-key
  std::string address, reason, lifetime;  // of block and unblock
};

std::string text_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  return found == nullptr ? std::string() : found->text;
}

Result<HttpReply> checked(Result<HttpReply> reply) {
  if (!reply.has_value() || reply->status < 300) return reply;
  return tl::unexpected<Error>(error_of(*reply));
}

Status missing(const char* flag) {
  return fail(Code::kInvalid, std::string(flag) + " is required here", "usage");
}

// What a verb prints is JSON with --format json, else the words given.
void say(const AdminFlags& flags, const std::string& json, const std::string& words) {
  std::cout << (flags.target.client->json ? json : words) << std::endl;
}

Status create_admin(Target& target, const AdminFlags& flags) {
  if (flags.username.empty()) return missing("--username");
  if (flags.email.empty()) return missing("--email");
  const bool random = flags.password.empty();
  const std::string password = random ? random_secret() : flags.password;
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("username", flags.username);
  out.member("email", flags.email);
  out.member("password", password);
  out.member("role", "admin");
  out.end_object();
  MILLRACE_TRY(const auto reply, checked(target.post("/api/users/", "application/json", body)));
  MILLRACE_TRY(auto made, parse_json(reply.body));
  if (random) made.members.push_back({"password", {JsonKind::kString, password, {}, {}}});
  std::string json;
  JsonWriter whole(json);
  append_json(whole, made);
  say(flags, json,
      "account " + text_in(made, "id") + ", " + flags.username +
          (random ? ", password " + password : std::string()));
  return {};
}

std::string line_of(const Json& key) {
  std::string line = text_in(key, "id") + "  " + text_in(key, "name") + " ";
  const Json* scopes = key.find("scopes");
  if (scopes != nullptr) {
    for (const auto& scope : scopes->elements) line += " " + scope.text;
  }
  const Json* expires = key.find("expires_at");
  if (expires != nullptr && expires->kind == JsonKind::kString) line += "  until " + expires->text;
  return line;
}

Status list_keys(Target& target, const AdminFlags& flags) {
  MILLRACE_TRY(const auto reply, checked(target.get("/v1/admin/keys")));
  MILLRACE_TRY(const auto json, parse_json(reply.body));
  const Json* keys = json.find("keys");
  if (keys == nullptr) return fail(Code::kInternal, "the server's list is no list");
  std::string words;
  for (const auto& key : keys->elements) words += (words.empty() ? "" : "\n") + line_of(key);
  say(flags, reply.body, words.empty() ? "no keys" : words);
  return {};
}

// The secret is on stdout, to be piped to where it is needed.
Status say_key(const AdminFlags& flags, const HttpReply& reply) {
  MILLRACE_TRY(const auto key, parse_json(reply.body));
  if (!flags.target.client->json) std::cerr << "key " << line_of(key) << ":\n";
  say(flags, reply.body, text_in(key, "key"));
  return {};
}

Status create_key(Target& target, const AdminFlags& flags) {
  if (flags.name.empty()) return missing("--name");
  if (flags.scopes.empty()) return missing("--scope");
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("name", flags.name);
  out.key("scopes");
  out.begin_array();
  for (const auto& scope : flags.scopes) out.value(scope);
  out.end_array();
  if (flags.days != 0) out.member("expires_in_days", flags.days);
  out.end_object();
  MILLRACE_TRY(const auto reply, checked(target.post("/v1/admin/keys", "application/json", body)));
  return say_key(flags, reply);
}

Status rotate_key(Target& target, const AdminFlags& flags) {
  if (flags.id == 0) return missing("--id");
  const auto path = "/v1/admin/keys/" + std::to_string(flags.id) + "/rotate";
  MILLRACE_TRY(const auto reply, checked(target.post(path, "application/json", {})));
  return say_key(flags, reply);
}

Status revoke_key(Target& target, const AdminFlags& flags) {
  if (flags.id == 0) return missing("--id");
  const auto id = std::to_string(flags.id);
  MILLRACE_TRY(const auto reply, checked(target.send({"DELETE", "/v1/admin/keys/" + id, {}, {}})));
  say(flags, "{\"revoked\":" + id + "}", "key " + id + " revoked");
  return {};
}

std::string line_of_block(const Json& block) {
  std::string line = text_in(block, "address");
  const Json* until = block.find("until");
  if (until != nullptr && until->kind == JsonKind::kString) line += "  until " + until->text;
  return line + "  " + text_in(block, "reason");
}

Status block_address(Target& target, const AdminFlags& flags) {
  if (flags.address.empty()) return missing("ADDRESS");
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("address", flags.address);
  out.member("reason", flags.reason);
  if (!flags.lifetime.empty()) {
    MILLRACE_TRY(const auto ms, parse_duration_ms(flags.lifetime));
    out.member("expires_in_seconds", ms / 1000);
  }
  out.end_object();
  MILLRACE_TRY(const auto reply,
               checked(target.post("/v1/admin/blocked", "application/json", body)));
  MILLRACE_TRY(const auto block, parse_json(reply.body));
  say(flags, reply.body, "blocked " + line_of_block(block));
  return {};
}

Status unblock_address(Target& target, const AdminFlags& flags) {
  if (flags.address.empty()) return missing("ADDRESS");
  std::string path = "/v1/admin/blocked/";
  for (const char c : flags.address) path += c == '/' ? "%2F" : std::string(1, c);
  MILLRACE_TRY(const auto reply, checked(target.send({"DELETE", path, {}, {}})));
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  out.member("unblocked", flags.address);
  out.end_object();
  say(flags, json, "unblocked " + flags.address);
  return {};
}

Status list_blocked(Target& target, const AdminFlags& flags) {
  std::string words;
  std::string json;
  JsonWriter out(json);
  out.begin_array();
  std::string cursor;
  do {
    const auto path = "/v1/admin/blocked?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor);
    MILLRACE_TRY(const auto reply, checked(target.get(path)));
    MILLRACE_TRY(const auto page, parse_json(reply.body));
    const Json* blocked = page.find("blocked");
    if (blocked == nullptr) return fail(Code::kInternal, "the server's list is no list");
    for (const auto& block : blocked->elements) {
      words += (words.empty() ? "" : "\n") + line_of_block(block);
      append_json(out, block);
    }
    cursor = text_in(page, "next_cursor");
  } while (!cursor.empty());
  out.end_array();
  say(flags, json, words.empty() ? "nothing is blocked" : words);
  return {};
}

struct AdminAction {
  const char* name;
  Status (*run)(Target&, const AdminFlags&);
};
constexpr AdminAction kActions[] = {{"create-admin", create_admin}, {"list-keys", list_keys},
                                    {"create-key", create_key},     {"rotate-key", rotate_key},
                                    {"revoke-key", revoke_key},     {"block", block_address},
                                    {"unblock", unblock_address},   {"blocked", list_blocked}};

int run(const AdminFlags& flags) {
  const auto done = open_target(flags.target, {}).and_then([&](const auto& target) -> Status {
    for (const auto& action : kActions) {
      if (flags.action == action.name) return action.run(*target, flags);
    }
    return fail(Code::kInvalid, "there is no such action", "usage");
  });
  if (done.has_value()) return kOk;
  std::cerr << "millrace admin: " << done.error().detail << "\n";
  return done.error().field == "url" || done.error().field == "usage" ? kUsage : kFailed;
}

}  // namespace

Action define_admin(CLI::App& verb) {
  auto flags = std::make_shared<AdminFlags>();
  std::vector<std::string> names;
  for (const auto& action : kActions) names.emplace_back(action.name);
  verb.add_option("action", flags->action, "what to do")->required()->check(CLI::IsMember(names));
  verb.add_option("address", flags->address, "block, unblock: an address, or a range: 10.0.0.0/8");
  flags->target = add_target_flags(verb);
  verb.add_option("--username", flags->username, "create-admin: the account's user name");
  verb.add_option("--email", flags->email, "create-admin: its e-mail address");
  verb.add_option("--password", flags->password,
                  "create-admin: its password; without one a random one is printed");
  verb.add_option("--name", flags->name, "create-key: what the key is for");
  verb.add_option("--scope", flags->scopes, "create-key: ingest, read or admin; may be repeated")
      ->check(CLI::IsMember({"ingest", "read", "admin"}));
  verb.add_option("--days", flags->days, "create-key: days until it expires; 0: never");
  verb.add_option("--reason", flags->reason, "block: why");
  verb.add_option("--for", flags->lifetime, "block: how long, as 6h; without it for ever");
  verb.add_option("--id", flags->id, "rotate-key, revoke-key: the key's id");
  return [flags] { return run(*flags); };
}

}  // namespace millrace::app
