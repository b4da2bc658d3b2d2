#include "serving/surfaces/users.h"

#include <charconv>
#include <utility>

#include "schemas/json_writer.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/erasure.h"
#include "serving/surfaces/profile_body.h"

namespace millrace::serving {
namespace {

Answer erase_user(const Request& request, const Deps& deps) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return erase_person(deps, {*std::move(name), DemandErase{UserId(*user)}, actor_of(request)},
                      *user);
}

// ---- profile

Reply get_profile(const Request& request, const Deps& deps) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  const auto read = deps.engine->read(*user);
  if (!read) return problem(read.error());
  auto reply = json_reply(profile_body(*user, *read, *deps.engine->table()));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

// ---- history

Result<Offset> before_param(const Request& request) {
  MILLRACE_TRY(const std::string place, cursor_param(request));
  Offset before = INT64_MAX;
  if (place.empty()) return before;
  const auto* end = place.data() + place.size();
  const auto parsed = std::from_chars(place.data(), end, before);
  if (parsed.ec != std::errc() || parsed.ptr != end || before < 0) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  return before;
}

Result<state::HistoryQuery> history_query(const Request& request, const Deps& deps,
                                          const state::PartitionStore& store) {
  state::HistoryQuery query;
  MILLRACE_TRY(query.limit, limit_param(request));
  MILLRACE_TRY(query.before, before_param(request));
  MILLRACE_TRY(query.from, time_param(request, "from", INT64_MIN));
  MILLRACE_TRY(query.to, time_param(request, "to", INT64_MAX));
  MILLRACE_TRY(const std::string type, name_param(request, "type"));
  if (!type.empty()) {
    const auto* row = deps.engine->table()->find(type);
    if (row == nullptr) {
      return fail(Code::kInvalid, "'" + type + "' is not in the interaction table", "type");
    }
    query.type = row->number;
  }
  const auto keep_ms = store.ruleset().history_retention_ms;
  if (keep_ms > 0) query.keep_after = store.published().log_time - keep_ms;
  return query;
}

Reply get_history(const Request& request, const Deps& deps) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  const auto partition = partition_of(*user, deps.engine->partitions());
  const auto& store = deps.engine->store(partition);
  auto query = history_query(request, deps, store);
  if (!query) return problem(query.error());
  const auto limit = query->limit++;  // one more tells whether there is another page
  auto items = store.history(*user, *query);
  if (!items) return problem(items.error());
  const bool more = items->size() > limit;
  if (more) items->resize(limit);
  const auto catalog = deps.engine->catalog().view();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("user", *user);
  out.key("items");
  out.begin_array();
  for (const auto& entry : *items) {
    const auto* type = deps.engine->table()->find(entry.type);
    append_history_item(out, entry, type != nullptr ? type->name : std::string(), partition,
                        catalog->find(entry.item));
  }
  out.end_array();
  if (more) out.member("next_cursor", cursor_of(std::to_string(items->back().offset)));
  out.end_object();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

}  // namespace

std::vector<Route> user_routes(const Deps& deps) {
  return {
      {"DELETE", "/v1/users/{id}", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return erase_user(request, deps); }},
      {"GET", "/v1/users/{id}/profile", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return when_visible(request, deps, get_profile); }},
      {"GET", "/v1/users/{id}/history", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return when_visible(request, deps, get_history); }},
  };
}

}  // namespace millrace::serving
