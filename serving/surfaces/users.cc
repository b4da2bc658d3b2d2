#include "serving/surfaces/users.h"

#include <charconv>
#include <optional>
#include <utility>

#include "schemas/catalog_record.h"
#include "schemas/json_writer.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/profile_body.h"

namespace millrace::serving {
namespace {

// ---- erasing

// Tells when the demand of a command at `catalog_offset` has been carried out in the person's
// partition and readers see it.
class Erased {
 public:
  Erased(const processors::Engine& engine, std::string user, Offset catalog_offset)
      : engine_(&engine),
        user_(std::move(user)),
        partition_(partition_of(user_, engine.partitions())),
        catalog_offset_(catalog_offset) {}

  bool operator()() {
    if (!demand_) {
      if (engine_->publisher().visible(kCatalogPartition) <= catalog_offset_) return false;
      demand_ = demand();
    }
    if (needed_ < 0) {
      const auto published = engine_->store(partition_).published();
      if (published.carried_catalog_offset < *demand_) return false;
      needed_ = published.next_offset;
    }
    return engine_->publisher().visible({Topic::kInteractions, partition_}) >= needed_;
  }

 private:
  // The command's own, or, where it repeats an earlier one, the last of this person before it.
  Offset demand() const {
    const auto& catalog = engine_->catalog();
    const auto own = catalog.demands_after(catalog_offset_ - 1, 1);
    if (!own.empty() && own.front().catalog_offset == catalog_offset_) return catalog_offset_;
    Offset last = -1;
    for (const auto& demand : catalog.demands_after(-1, SIZE_MAX)) {
      if (demand.catalog_offset > catalog_offset_) break;
      if (demand.erase.value == user_) last = demand.catalog_offset;
    }
    return last;
  }

  const processors::Engine* engine_;
  std::string user_;
  std::uint16_t partition_;
  Offset catalog_offset_;
  std::optional<Offset> demand_;
  Offset needed_ = -1;  // one past the record that readers must see; -1: not yet carried out
};

Reply erased_reply(const processors::Engine& engine, std::uint16_t partition,
                   Offset catalog_offset) {
  Reply reply;
  reply.status = 204;
  reply.content_type.clear();
  Position position;
  position.include(kCatalogPartition, catalog_offset);
  const LogPartition of_person{Topic::kInteractions, partition};
  const auto visible = engine.publisher().visible(of_person);
  if (visible > 0) position.include(of_person, visible - 1);
  set_position(reply, position);
  return reply;
}

Answer erase_user(const Request& request, const Deps& deps) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  const auto partition = partition_of(*user, deps.engine->partitions());
  CatalogRecord record{*name, DemandErase{UserId(*user)}};
  return Later{[deps, partition, user = *user, name = *name, bytes = encode(record)](auto finish) {
    const auto appended = [deps, partition, user, name,
                           finish = std::move(finish)](ingest::AppendResult offsets) {
      if (!offsets) return finish([error = offsets.error()] { return problem(error); });
      const auto offset = offsets->front();
      const auto& engine = *deps.engine;
      deps.engine->publisher().when(Erased(engine, user, offset), deps.options.position_wait_ms,
                                    [&engine, partition, offset, name, finish](bool done) {
                                      finish([=, &engine] {
                                        return done ? erased_reply(engine, partition, offset)
                                                    : outcome_unknown(name);
                                      });
                                    });
    };
    deps.log->append({{kCatalogPartition, {}, bytes}}, appended);
  }};
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
