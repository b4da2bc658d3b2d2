#include "state/accounts.h"

#include <algorithm>
#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

// Kinds of CatalogNumbers.
constexpr const char* kUsers = ":user";
constexpr const char* kTokens = ":token";
constexpr const char* kEver = ":ever";  // 1: an account or a key has existed

constexpr std::size_t kBytesPerAccount = 800;  // with its two names
constexpr std::size_t kBytesPerToken = 500;

template <class Value>
const Value* behind(const std::shared_ptr<const Value>* held) {
  return held == nullptr ? nullptr : held->get();
}

std::string row_of(const Account& account) {
  proto::AccountRow row;
  row.set_username(account.username);
  row.set_email(account.email);
  row.set_password_hash(account.password_hash);
  row.set_role(static_cast<std::uint32_t>(account.role));
  row.set_joined_ms(account.joined);
  return row.SerializeAsString();
}

std::string row_of(const Token& token) {
  proto::TokenRow row;
  row.set_account(token.account.value);
  row.set_hash(token.hash);
  row.set_name(token.name);
  row.set_scopes(token.scopes);
  row.set_created_ms(token.created);
  row.set_expires_ms(token.expires);
  return row.SerializeAsString();
}

}  // namespace

// ---- reading

const Account* AccountsView::find(AccountId id) const { return behind(accounts_.find(id.value)); }

const Account* AccountsView::find_name(std::string_view username) const {
  const auto* id = names_.find(fold_name(username));
  return id == nullptr ? nullptr : find(AccountId(*id));
}

const Account* AccountsView::find_email(std::string_view email) const {
  const auto* id = emails_.find(fold_name(email));
  return id == nullptr ? nullptr : find(AccountId(*id));
}

const Token* AccountsView::find_token(TokenId id) const { return behind(tokens_.find(id.value)); }

const Token* AccountsView::find_secret(const std::string& hash) const {
  const auto* id = hashes_.find(hash);
  return id == nullptr ? nullptr : find_token(TokenId(*id));
}

std::vector<const Token*> AccountsView::tokens_of(AccountId account) const {
  std::vector<const Token*> out;
  if (const auto* held = held_by_.find(account.value)) {
    for (const auto id : *held) out.push_back(find_token(TokenId(id)));
  }
  return out;
}

std::vector<const Account*> AccountsView::all() const {
  std::vector<const Account*> out;
  out.reserve(accounts_.size());
  accounts_.for_each([&](auto, const auto& account) { out.push_back(account.get()); });
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return out;
}

std::size_t AccountsView::memory_bytes() const {
  return accounts_.size() * kBytesPerAccount + tokens_.size() * kBytesPerToken;
}

// ---- applying

void Accounts::put(const std::shared_ptr<const Account>& account) {
  shared_.reset();
  now_.accounts_.put(account->id.value, account);
  now_.names_.put(fold_name(account->username), account->id.value);
  if (!account->email.empty()) now_.emails_.put(fold_name(account->email), account->id.value);
}

void Accounts::place(const std::shared_ptr<const Token>& token) {
  shared_.reset();
  now_.tokens_.put(token->id.value, token);
  now_.hashes_.put(token->hash, token->id.value);
  const auto* held = now_.held_by_.find(token->account.value);
  auto ids = held == nullptr ? std::vector<std::uint64_t>() : *held;
  ids.push_back(token->id.value);
  now_.held_by_.put(token->account.value, std::move(ids));
}

void Accounts::erase(TokenId id) {
  const auto* token = now_.find_token(id);
  if (token == nullptr) return;
  shared_.reset();
  const auto account = token->account.value;
  auto ids = *now_.held_by_.find(account);
  std::erase(ids, id.value);
  now_.hashes_.erase(token->hash);
  now_.tokens_.erase(id.value);
  if (ids.empty()) {
    now_.held_by_.erase(account);
  } else {
    now_.held_by_.put(account, std::move(ids));
  }
  rows_.erase(keys::of(keys::kToken, id.value));
}

void Accounts::erase_tokens_of(AccountId account) {
  for (const auto* token : now_.tokens_of(account)) erase(token->id);
}

bool Accounts::taken(const CowMap<std::string, std::uint64_t>& by, const std::string& text,
                     AccountId except) const {
  const auto* id = text.empty() ? nullptr : by.find(fold_name(text));
  return id != nullptr && *id != except.value;
}

CommandVerdict Accounts::apply(const SignUp& sign_up, UnixMillis log_time) {
  if (taken(now_.names_, sign_up.username, {})) return {CommandOutcome::kNameTaken};
  if (taken(now_.emails_, sign_up.email, {})) return {CommandOutcome::kEmailTaken};
  numbers_.raise(kEver, 1);
  const auto number = numbers_.mint(kUsers);
  const auto account =
      std::make_shared<const Account>(Account{AccountId(number), sign_up.username, sign_up.email,
                                              sign_up.password_hash, sign_up.role, log_time});
  put(account);
  rows_.put(keys::of(keys::kAccount, number), row_of(*account));
  return {CommandOutcome::kCreated, number};
}

CommandVerdict Accounts::apply(const ChangeAccount& change) {
  const auto* old = now_.find(change.id);
  if (old == nullptr) return {CommandOutcome::kNotFound};
  if (taken(now_.names_, change.username.value_or(""), change.id)) {
    return {CommandOutcome::kNameTaken};
  }
  if (taken(now_.emails_, change.email.value_or(""), change.id)) {
    return {CommandOutcome::kEmailTaken};
  }
  auto account = std::make_shared<Account>(*old);
  account->username = change.username.value_or(old->username);
  account->email = change.email.value_or(old->email);
  account->password_hash = change.password_hash.value_or(old->password_hash);
  account->role = change.role.value_or(old->role);
  now_.names_.erase(fold_name(old->username));
  now_.emails_.erase(fold_name(old->email));
  put(account);
  rows_.put(keys::of(keys::kAccount, change.id.value), row_of(*account));
  if (change.password_hash) erase_tokens_of(change.id);
  return {CommandOutcome::kReplaced, change.id.value};
}

CommandVerdict Accounts::apply(const CloseAccount& close) {
  const auto* account = now_.find(close.id);
  if (account == nullptr) return {CommandOutcome::kNotFound};
  shared_.reset();
  erase_tokens_of(close.id);
  now_.names_.erase(fold_name(account->username));
  now_.emails_.erase(fold_name(account->email));
  now_.accounts_.erase(close.id.value);
  rows_.erase(keys::of(keys::kAccount, close.id.value));
  return {CommandOutcome::kDeleted, close.id.value};
}

CommandVerdict Accounts::apply(const IssueToken& issue, UnixMillis log_time) {
  const bool replaced = issue.replaces.value == 0 || now_.find_token(issue.replaces) != nullptr;
  if (issue.account.value != 0 && now_.find(issue.account) == nullptr) {
    return {CommandOutcome::kNotFound};
  }
  if (!replaced || now_.hashes_.find(issue.hash) != nullptr) return {CommandOutcome::kNotFound};
  erase(issue.replaces);
  if (issue.account.value != 0) {
    auto held = now_.tokens_of(issue.account);
    for (auto*& token : held) {
      if (token->expires == 0 || token->expires > log_time) continue;
      erase(token->id);
      token = nullptr;
    }
    std::erase(held, nullptr);
    if (held.size() >= kMaxTokensOfAccount) erase(held.front()->id);
  }
  numbers_.raise(kEver, 1);
  const auto number = numbers_.mint(kTokens);
  const auto token =
      std::make_shared<const Token>(Token{TokenId(number), issue.account, issue.hash, issue.name,
                                          issue.scopes, log_time, issue.expires});
  place(token);
  rows_.put(keys::of(keys::kToken, number), row_of(*token));
  return {CommandOutcome::kCreated, number};
}

CommandVerdict Accounts::apply(const RevokeToken& revoke) {
  if (now_.find_token(revoke.id) == nullptr) return {CommandOutcome::kNotFound};
  erase(revoke.id);
  return {CommandOutcome::kDeleted, revoke.id.value};
}

CommandVerdict Accounts::apply(const ReserveUsers& reserve) {
  if (reserve.up_to < kMaxUserNumber) numbers_.raise(kUsers, reserve.up_to);
  return {CommandOutcome::kAccepted};
}

std::uint64_t Accounts::highest_user() const { return numbers_.highest(kUsers); }

// ---- views

std::shared_ptr<const AccountsView> Accounts::view() {
  if (shared_) return shared_;
  auto made = std::make_shared<AccountsView>();
  made->accounts_ = now_.accounts_.share();
  made->names_ = now_.names_.share();
  made->emails_ = now_.emails_.share();
  made->tokens_ = now_.tokens_.share();
  made->hashes_ = now_.hashes_.share();
  made->held_by_ = now_.held_by_.share();
  made->any_ever_ = numbers_.highest(kEver) > 0;
  shared_ = std::move(made);
  return shared_;
}

// ---- opening

Status Accounts::restore_account(std::string_view key, std::string_view row) {
  proto::AccountRow message;
  if (!message.ParseFromArray(row.data(), static_cast<int>(row.size())) || message.role() > 2) {
    return fail(Code::kCorrupt, "an account's row is not what was written");
  }
  put(std::make_shared<const Account>(
      Account{AccountId(keys::from_big_endian(key.substr(1))), message.username(), message.email(),
              message.password_hash(), static_cast<Role>(message.role()), message.joined_ms()}));
  return {};
}

Status Accounts::restore_token(std::string_view key, std::string_view row) {
  proto::TokenRow message;
  if (!message.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return fail(Code::kCorrupt, "a token's row is not what was written");
  }
  place(std::make_shared<const Token>(
      Token{TokenId(keys::from_big_endian(key.substr(1))), AccountId(message.account()),
            message.hash(), message.name(), static_cast<std::uint8_t>(message.scopes()),
            message.created_ms(), message.expires_ms()}));
  return {};
}

}  // namespace millrace::state
