#include "app/admin_token.h"

#include <utility>

#include "base/crypto.h"
#include "schemas/catalog_record.h"

namespace millrace::app {
namespace {

using state::CommandOutcome;

// Names the token of the configuration among those of its account. Tokens that people get by
// logging in have no name.
constexpr const char* kTokenName = "configuration";

class Commands {
 public:
  Commands(processors::Engine& engine, ingest::EventLog& log, Uuid7Minter& ids)
      : engine_(engine), log_(log), ids_(ids) {}

  Result<state::CommandVerdict> run(CatalogChange change) {
    const auto name = ids_.mint();
    std::vector<ingest::Append> appends;
    appends.push_back(
        {kCatalogPartition, {}, encode(CatalogRecord{name, std::move(change), Actor{}})});
    MILLRACE_TRY(const auto offsets, log_.append_and_wait(std::move(appends)));
    Position position;
    position.include(kCatalogPartition, offsets.front());
    while (!engine_.publisher().wait_reached(position, 1'000)) {
      if (!engine_.failure().empty()) return fail(Code::kCorrupt, engine_.failure());
    }
    return engine_.catalog().verdict(name).value_or(
        state::CommandVerdict{CommandOutcome::kNotFound});
  }

 private:
  processors::Engine& engine_;
  ingest::EventLog& log_;
  Uuid7Minter& ids_;
};

const state::Token* configured(const state::AccountsView& accounts) {
  for (const auto* account : accounts.all()) {
    if (account->role != Role::kAdmin) continue;
    for (const auto* token : accounts.tokens_of(account->id)) {
      if (token->name == kTokenName) return token;
    }
  }
  return nullptr;
}

// The account that the token is to open: the one that has no password and so can be opened by
// nothing else.
Result<AccountId> admin_account(const processors::Engine& engine, Commands& commands,
                                Uuid7Minter& ids) {
  for (const std::string& name : {std::string("admin"), "admin-" + ids.mint()}) {
    for (const auto* account : engine.catalog().accounts()->all()) {
      if (account->role == Role::kAdmin && account->password_hash.empty()) return account->id;
    }
    MILLRACE_TRY(const auto verdict, commands.run(SignUp{name, {}, {}, Role::kAdmin}));
    if (verdict.outcome == CommandOutcome::kCreated) return AccountId(verdict.number);
  }
  return fail(Code::kConflict, "no account could be made for the admin token");
}

}  // namespace

Status put_admin_token(const std::string& token, processors::Engine& engine, ingest::EventLog& log,
                       Uuid7Minter& ids) {
  Commands commands(engine, log, ids);
  const auto is_configured = [&engine](const std::string& hash) {
    const auto accounts = engine.catalog().accounts();
    const auto* found = configured(*accounts);
    return found != nullptr && found->hash == hash;
  };
  const auto hash = token.empty() ? std::string() : token_hash(token);
  if (is_configured(hash)) return {};
  {
    const auto accounts = engine.catalog().accounts();
    if (const auto* old = configured(*accounts)) {
      MILLRACE_TRY(const auto revoked, commands.run(RevokeToken{old->id}));
      static_cast<void>(revoked);
    }
  }
  if (token.empty()) return {};
  MILLRACE_TRY(const AccountId admin, admin_account(engine, commands, ids));
  MILLRACE_TRY(const auto issued, commands.run(IssueToken{admin, hash, kTokenName}));
  if (issued.outcome == CommandOutcome::kCreated) return {};
  // Another node that starts with the same configuration may have been quicker.
  if (is_configured(hash)) return {};
  return fail(Code::kConflict, "the admin token is another credential already", "admin_token");
}

}  // namespace millrace::app
