#include "state/journal.h"

#include <utility>

#include "schemas/json_writer.h"
#include "schemas/proto/catalog_state.pb.h"
#include "schemas/rfc3339.h"
#include "schemas/stored_message.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::string text(std::uint64_t number) { return std::to_string(number); }

// One function a kind of change: its action, subject and details.
struct Teller {
  const CommandVerdict& verdict;
  JournalEntry& entry;

  void say(const char* action, std::string subject) const {
    entry.action = action;
    entry.subject = std::move(subject);
  }
  template <class F>
  void add_details(F&& members) const {
    JsonWriter out(entry.details);
    out.begin_object();
    members(out);
    out.end_object();
  }

  void operator()(const Item& item) const { say("item.put", item.id.value); }
  void operator()(const DeleteItem& gone) const { say("item.delete", gone.id.value); }
  void operator()(const MintItem& mint) const {
    say("item.create", mint.item.kind + ":" + text(verdict.number));
  }
  void operator()(const DemandErase& demand) const { say("user.erase", demand.user.value); }
  void operator()(const MergePeople& people) const {
    say("user.merge", people.user.value);
    add_details([&](JsonWriter& out) { out.member("into", people.into.value); });
  }
  void operator()(const PutRule& put) const { say("rule.put", put.rule.id); }
  void operator()(const DeleteRule& gone) const { say("rule.delete", gone.id); }
  void operator()(const SignUp& sign_up) const {
    say("account.create", text(verdict.number));
    add_details([&](JsonWriter& out) { out.member("role", role_name(sign_up.role)); });
  }
  void operator()(const ChangeAccount& change) const {
    say("account.change", text(change.id.value));
    add_details([&](JsonWriter& out) {
      out.member("username", change.username.has_value());
      out.member("email", change.email.has_value());
      out.member("password", change.password_hash.has_value());
      if (change.role) out.member("role", role_name(*change.role));
    });
  }
  void operator()(const CloseAccount& close) const { say("account.close", text(close.id.value)); }
  void operator()(const IssueToken& issue) const {
    const bool key = issue.account.value == 0;
    say(!key                        ? "token.create"
        : issue.replaces.value != 0 ? "key.rotate"
                                    : "key.create",
        text(verdict.number));
    add_details([&](JsonWriter& out) {
      if (!key) out.member("account", issue.account.value);
      out.member("name", issue.name);
      if (issue.replaces.value != 0) out.member("replaces", issue.replaces.value);
    });
  }
  void operator()(const RevokeToken& revoke) const { say("token.revoke", text(revoke.id.value)); }
  void operator()(const ReserveUsers& reserve) const { say("users.reserve", text(reserve.up_to)); }
  void operator()(const PutGenre& put) const {
    say(put.id.value == 0 ? "genre.create" : "genre.rename", text(verdict.number));
    add_details([&](JsonWriter& out) { out.member("name", put.name); });
  }
  void operator()(const DeleteGenre& gone) const { say("genre.delete", text(gone.id.value)); }
  void operator()(const BlockAddress& block) const {
    say("address.block", block.range.text());
    add_details([&](JsonWriter& out) {
      out.member("reason", block.reason);
      if (block.until != 0) out.member("until", rfc3339(block.until));
      out.member("automatic", block.automatic);
    });
  }
  void operator()(const UnblockAddress& gone) const { say("address.unblock", gone.range.text()); }
  void operator()(const PutStore& put) const {
    say(put.id == 0 ? "store.create" : "store.change", "store:" + text(verdict.number));
  }
  void operator()(const PutProduct& put) const {
    say(put.id == 0 ? "product.create" : "product.change", "product:" + text(verdict.number));
  }
  void operator()(const DeleteOwned& gone) const { say("item.delete", gone.id.value); }
  void operator()(const PutRate& put) const {
    say("currency.put", put.currency);
    add_details([&](JsonWriter& out) { out.member("rate", put.rate.value); });
  }
  void operator()(const DeleteRate& gone) const { say("currency.delete", gone.currency); }
  void operator()(const PutExperiment& put) const { say("experiment.create", put.experiment.id); }
  void operator()(const StopExperiment& stop) const { say("experiment.stop", stop.id); }
  void operator()(const PutDataset&) const { say("dataset.put", text(verdict.number)); }
  void operator()(const DeleteDataset& gone) const { say("dataset.delete", text(gone.id)); }
  void operator()(const DescribePerson& put) const { say("user.describe", put.user.value); }
  void operator()(const PutBlend&) const {}  // nobody's doing
  void operator()(const Notice&) const {}
};

std::string row_of(const JournalEntry& entry) {
  proto::JournalRow row;
  row.set_time_ms(entry.time);
  row.set_account(entry.actor.account.value);
  row.set_token(entry.actor.token.value);
  row.set_address(entry.actor.address);
  row.set_action(entry.action);
  row.set_subject(entry.subject);
  row.set_outcome(static_cast<std::uint32_t>(entry.outcome));
  row.set_count(entry.count);
  row.set_details(entry.details);
  row.set_command(entry.command);
  return row.SerializeAsString();
}

bool fits(const JournalEntry& entry, const JournalQuery& query) {
  if (query.account && entry.actor.account != *query.account) return false;
  if (!query.subject.empty() && entry.subject != query.subject) return false;
  if (entry.time < query.since || (query.until != 0 && entry.time >= query.until)) return false;
  return query.action.empty() || entry.action == query.action ||
         (entry.action.starts_with(query.action) && entry.action[query.action.size()] == '.');
}

}  // namespace

std::optional<JournalEntry> told(const CatalogRecord& record, const CommandVerdict& verdict) {
  const auto* block = std::get_if<BlockAddress>(&record.change);
  if (!record.actor && (block == nullptr || !block->automatic)) return std::nullopt;
  JournalEntry entry;
  entry.actor = record.actor.value_or(Actor{});
  entry.outcome = verdict.outcome;
  std::visit(Teller{verdict, entry}, record.change);
  if (entry.action.empty()) return std::nullopt;
  // Requests with many records name them COMMAND#0, COMMAND#1 …
  const auto number = record.command_id.rfind('#');
  if (number != std::string::npos) entry.command = record.command_id.substr(0, number);
  return entry;
}

void Journal::add(FactRows& rows, JournalEntry entry) {
  const auto key_of = [this](const JournalEntry& of) {
    return keys::of(row_, static_cast<std::uint64_t>(of.offset));
  };
  const bool more = !entries_.empty() && !entry.command.empty() &&
                    entries_.back().command == entry.command &&
                    entries_.back().action == entry.action;
  if (more) {
    ++entries_.back().count;
  } else {
    entries_.push_back(std::move(entry));
  }
  rows.set_other(key_of(entries_.back()), row_of(entries_.back()));
  if (entries_.size() <= kept_) return;
  rows.set_other(key_of(entries_.front()), std::nullopt);
  entries_.pop_front();
}

Status Journal::restore(std::string_view key, std::string_view value) {
  proto::JournalRow row;
  if (!parse_message(row, value)) return corrupt_bytes("entry of a journal");
  JournalEntry entry;
  entry.offset = static_cast<Offset>(keys::from_big_endian(key.substr(1)));
  entry.time = row.time_ms();
  entry.actor = {AccountId(row.account()), TokenId(row.token()), row.address()};
  entry.action = row.action();
  entry.subject = row.subject();
  entry.outcome = static_cast<CommandOutcome>(row.outcome());
  entry.count = row.count();
  entry.details = row.details();
  entry.command = row.command();
  entries_.push_back(std::move(entry));
  return {};
}

std::vector<JournalEntry> Journal::find(const JournalQuery& query, std::size_t limit) const {
  std::vector<JournalEntry> found;
  for (auto at = entries_.rbegin(); at != entries_.rend() && found.size() < limit; ++at) {
    if ((query.before == 0 || at->offset < query.before) && fits(*at, query)) found.push_back(*at);
  }
  return found;
}

}  // namespace millrace::state
