#include "serving/surfaces/audit.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "base/log.h"
#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;
using state::JournalEntry;
using state::JournalQuery;

constexpr std::size_t kAnomaliesShown = 100;  // in a report

std::string_view name_of(CommandOutcome outcome) {
  switch (outcome) {
    case CommandOutcome::kCreated: return "created";
    case CommandOutcome::kReplaced: return "replaced";
    case CommandOutcome::kDeleted: return "deleted";
    case CommandOutcome::kNotFound: return "not_found";
    case CommandOutcome::kAccepted: return "accepted";
    case CommandOutcome::kNameTaken: return "name_taken";
    case CommandOutcome::kEmailTaken: return "email_taken";
    case CommandOutcome::kFull: return "full";
    case CommandOutcome::kNoParent: return "no_parent";
    case CommandOutcome::kParentLoop: return "parent_loop";
    case CommandOutcome::kForbidden: return "forbidden";
    case CommandOutcome::kNoStore: return "no_store";
  }
  return "unknown";
}

void append_number(JsonWriter& out, std::string_view name, std::uint64_t number) {
  out.key(name);
  if (number == 0) {
    out.value(nullptr);
  } else {
    out.value(number);
  }
}

void append_change(JsonWriter& out, const JournalEntry& entry) {
  out.begin_object();
  out.member("offset", entry.offset);
  out.member("at", rfc3339(entry.time));
  out.key("actor");
  out.begin_object();
  append_number(out, "account", entry.actor.account.value);
  append_number(out, "token", entry.actor.token.value);
  out.key("address");
  if (entry.actor.address.empty()) {
    out.value(nullptr);
  } else {
    out.value(entry.actor.address);
  }
  out.end_object();
  out.member("action", entry.action);
  out.member("subject", entry.subject);
  out.member("outcome", name_of(entry.outcome));
  out.member("count", entry.count);
  out.raw_member("details", entry.details.empty() ? "{}" : std::string_view(entry.details));
  out.end_object();
}

void append_anomaly(JsonWriter& out, const JournalEntry& entry) {
  out.begin_object();
  out.member("at", rfc3339(entry.time));
  out.member("address", entry.subject);
  out.raw_member("details", entry.details);
  out.end_object();
}

void append_report(JsonWriter& out, const JournalEntry& entry) {
  out.begin_object();
  out.member("id", entry.offset);
  out.member("at", rfc3339(entry.time));
  out.raw_member("report", entry.details);
  out.end_object();
}

// ---- listing

Result<JournalQuery> query_of(const Request& request) {
  JournalQuery query;
  MILLRACE_TRY(const auto account, int_param(request, "account", 0, 1, kMaxUserNumber - 1));
  if (account != 0) query.account = AccountId(static_cast<std::uint64_t>(account));
  MILLRACE_TRY(query.action, name_param(request, "action"));
  MILLRACE_TRY(query.subject, name_param(request, "subject"));
  MILLRACE_TRY(query.since, time_param(request, "since", 0));
  MILLRACE_TRY(query.until, time_param(request, "until", 0));
  MILLRACE_TRY(const auto place, cursor_param(request));
  if (place.empty()) return query;
  const auto* end = place.data() + place.size();
  const auto parsed = std::from_chars(place.data(), end, query.before);
  if (parsed.ec != std::errc() || parsed.ptr != end || query.before <= 0) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  return query;
}

using Find = std::vector<JournalEntry> (state::CatalogStore::*)(const JournalQuery&,
                                                                std::size_t) const;

// One page of a journal, newest first.
Reply list(const Request& request, const Deps& deps, const char* name, Find find,
           void (*append)(JsonWriter&, const JournalEntry&)) {
  const auto query = query_of(request);
  if (!query) return problem(query.error());
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto entries = (deps.engine->catalog().*find)(*query, *limit + 1);
  const auto shown = std::min(*limit, entries.size());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key(name);
  out.begin_array();
  for (std::size_t i = 0; i < shown; ++i) append(out, entries[i]);
  out.end_array();
  if (entries.size() > shown) {
    out.member("next_cursor", cursor_of(std::to_string(entries[shown - 1].offset)));
  }
  out.end_object();
  return json_reply(std::move(body));
}

Reply list_changes(const Request& request, const Deps& deps) {
  return list(request, deps, "changes", &state::CatalogStore::trail, append_change);
}

Reply list_anomalies(const Request& request, const Deps& deps) {
  return list(request, deps, "anomalies", &state::CatalogStore::anomalies, append_anomaly);
}

Reply list_reports(const Request& request, const Deps& deps) {
  return list(request, deps, "reports", &state::CatalogStore::reports, append_report);
}

// ---- reporting

void append_changes(JsonWriter& out, const state::CatalogStore& catalog, UnixMillis since) {
  std::map<std::string, std::uint64_t> by_action;
  std::uint64_t automatic = 0;
  JournalQuery query;
  query.since = since;
  for (const auto& entry : catalog.trail(query, SIZE_MAX)) {
    by_action[entry.action] += entry.count;
    if (entry.action == "address.block" && entry.actor.address.empty()) ++automatic;
  }
  out.key("changes");
  out.begin_object();
  for (const auto& [action, count] : by_action) out.member(action, count);
  out.end_object();
  out.member("blocked_automatically", automatic);
}

void append_anomalies(JsonWriter& out, const state::CatalogStore& catalog, UnixMillis since) {
  JournalQuery query;
  query.since = since;
  const auto anomalies = catalog.anomalies(query, SIZE_MAX);
  out.member("anomaly_count", anomalies.size());
  out.key("anomalies");
  out.begin_array();
  for (std::size_t i = 0; i < std::min(kAnomaliesShown, anomalies.size()); ++i) {
    append_anomaly(out, anomalies[i]);
  }
  out.end_array();
}

void append_credentials(JsonWriter& out, const state::AccountsView& accounts) {
  const auto all = accounts.all();
  out.member("administrators", std::count_if(all.begin(), all.end(), [](const auto* account) {
               return account->role == Role::kAdmin;
             }));
  const auto keys = accounts.tokens_of({});
  out.member("keys", keys.size());
  out.member("keys_that_never_expire", std::count_if(keys.begin(), keys.end(), [](const auto* key) {
               return key->expires == 0;
             }));
}

// What a report says of the time since the last one.
Notice report_of(const Deps& deps, UnixMillis since) {
  const auto& catalog = deps.engine->catalog();
  const auto now = deps.clock->now();
  const auto blocks = catalog.blocks();
  Notice notice{NoticeKind::kReport, {}, {}};
  JsonWriter out(notice.details);
  out.begin_object();
  out.member("since", rfc3339(since));
  append_changes(out, catalog, since);
  out.member("blocked", std::count_if(blocks->all().begin(), blocks->all().end(),
                                      [now](const auto& b) { return b.second.holds(now); }));
  append_anomalies(out, catalog, since);
  append_credentials(out, *catalog.accounts());
  out.end_object();
  return notice;
}

UnixMillis last_report(const Deps& deps, UnixMillis otherwise) {
  const auto last = deps.engine->catalog().reports({}, 1);
  return last.empty() ? otherwise : last.front().time;
}

Answer make_report(const Request& request, const Deps& deps) {
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  CatalogRecord record{*name, report_of(deps, last_report(deps, 0)), actor_of(request)};
  return command(deps, std::move(record), [deps, name = *name](const Position&) {
    const auto verdict = deps.engine->catalog().verdict(name);
    if (!verdict) return outcome_unknown(name);
    JournalQuery query;
    query.before = static_cast<Offset>(verdict->number) + 1;
    std::string body;
    JsonWriter out(body);
    for (const auto& entry : deps.engine->catalog().reports(query, 1)) append_report(out, entry);
    return json_reply(std::move(body), 201);
  });
}

}  // namespace

Status audit_if_due(const Deps& deps, UnixMillis start, std::int64_t interval_ms) {
  const auto last = last_report(deps, start);
  if (interval_ms == 0 || deps.clock->now() < last + interval_ms) return {};
  // The same name on every node: all but the first are repeats.
  CatalogRecord record{"audit after " + std::to_string(last_report(deps, 0)),
                       report_of(deps, last_report(deps, 0))};
  log_info("security audit: " + std::get<Notice>(record.change).details);
  std::vector<ingest::Append> appends;
  appends.push_back({kCatalogPartition, {}, encode(record)});
  MILLRACE_TRY(const auto offsets, deps.log->append_and_wait(std::move(appends)));
  static_cast<void>(offsets);
  return {};
}

std::vector<Route> audit_routes(const Deps& deps) {
  const auto read = [deps](auto handler) {
    return [deps, handler](const Request& request) { return when_visible(request, deps, handler); };
  };
  return {
      {"GET", "/v1/admin/audit", Policy::kAdmin, read(list_changes)},
      {"GET", "/v1/admin/audit/reports", Policy::kAdmin, read(list_reports)},
      {"POST", "/v1/admin/audit/reports", Policy::kAdmin,
       [deps](const Request& request) { return make_report(request, deps); }},
      {"GET", "/v1/admin/anomalies", Policy::kAdmin, read(list_anomalies)},
  };
}

}  // namespace millrace::serving
