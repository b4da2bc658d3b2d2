#include "serving/surfaces/items.h"

#include <map>
#include <optional>
#include <utility>

#include "schemas/catalog_record.h"
#include "schemas/item_json.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/catalog_search.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/item_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

const state::CatalogItem* find_item(const Deps& deps, const state::CatalogView& catalog,
                                    const std::string& id) {
  const auto index = deps.engine->items().find(id);
  return index ? catalog.find(*index) : nullptr;
}

Reply item_reply(const Deps& deps, const std::string& id, int status) {
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  const auto* item = find_item(deps, *read->catalog, id);
  if (item == nullptr) return problem({Code::kNotFound, "no item has this id", {}});
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  append_item_view(out, *item, *read, deps.clock->now());
  out.end_object();
  return json_reply(std::move(body), status);
}

Answer get_item(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  const auto answer = [deps, id = *id] { return item_reply(deps, id, 200); };
  const bool known = find_item(deps, *deps.engine->catalog().view(), *id) != nullptr;
  return known ? when_reached(deps, *position, answer) : behind_catalog(deps, *position, answer);
}

// What the log says of a put; nothing: it was done.
std::optional<Error> refusal_of(std::optional<CommandOutcome> outcome) {
  if (outcome == CommandOutcome::kNoParent) {
    return Error{Code::kInvalid, "no item has this id", "parent"};
  }
  if (outcome == CommandOutcome::kParentLoop) {
    return Error{Code::kInvalid,
                 "must not be the item itself or one below it, and be at most 16 levels deep",
                 "parent"};
  }
  return std::nullopt;
}

bool takes_json(const Request& request) {
  return body_kind(request.header("content-type").value_or(std::string_view())) == BodyKind::kJson;
}

Answer put_item(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  if (!takes_json(request)) return problem(415, "send application/json");
  auto command_name = command_id(request, deps);
  if (!command_name) return problem(command_name.error());
  auto item = parse_item(request.body, ItemId(*id));
  if (!item) return problem(item.error());
  const auto answer = [deps, id = *id, name = *command_name](const Position&) {
    const auto outcome = deps.engine->catalog().outcome(name);
    if (const auto refused = refusal_of(outcome)) return problem(*refused);
    return item_reply(deps, id, outcome == CommandOutcome::kCreated ? 201 : 200);
  };
  return command(deps, {std::move(*command_name), std::move(*item), actor_of(request)}, answer);
}

Answer delete_item(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name](const Position&) {
    if (deps.engine->catalog().outcome(name) != CommandOutcome::kDeleted) {
      return problem({Code::kNotFound, "no item has this id", {}});
    }
    return no_content();
  };
  return command(deps, {std::move(*name), DeleteItem{ItemId(*id)}, actor_of(request)}, answer);
}

Reply list_items(const Request& request, const Deps& deps) {
  const auto parse = [&request]() -> Result<CatalogQuery> {
    CatalogQuery query;
    MILLRACE_TRY(query.kind, kind_param(request));
    MILLRACE_TRY(query.category, name_param(request, "category"));
    MILLRACE_TRY(query.tag, name_param(request, "tag"));
    MILLRACE_TRY(query.words, name_param(request, "q"));
    MILLRACE_TRY(query.after, cursor_param(request));
    MILLRACE_TRY(query.limit, limit_param(request));
    return query;
  };
  const auto query = parse();
  if (!query) return problem(query.error());
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  const auto page = search(*read->catalog, deps.engine->names(), *query);
  if (!page) return problem(page.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("items");
  out.begin_array();
  const auto now = deps.clock->now();
  for (const auto* item : page->items) {
    out.begin_object();
    append_item_view(out, *item, *read, now);
    out.end_object();
  }
  out.end_array();
  if (!page->next.empty()) out.member("next_cursor", cursor_of(page->next));
  out.end_object();
  return json_reply(std::move(body));
}

// ---- many at once

struct Rejected {
  std::string id;  // empty: none was given
  Error error;
};

struct Bulk {
  std::string command;  // of item i: command + "#" + i
  std::map<std::size_t, std::string> appended;
  std::map<std::size_t, Rejected> rejected;

  std::string command_of(std::size_t index) const { return command + "#" + std::to_string(index); }
};

Reply verdicts(const Deps& deps, const Bulk& bulk) {
  std::size_t created = 0;
  auto rejected = bulk.rejected;
  for (const auto& [index, id] : bulk.appended) {
    const auto outcome = deps.engine->catalog().outcome(bulk.command_of(index));
    created += outcome == CommandOutcome::kCreated ? 1u : 0u;
    if (const auto refused = refusal_of(outcome)) rejected[index] = {id, *refused};
  }
  const auto accepted = bulk.appended.size() + bulk.rejected.size() - rejected.size();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("accepted", accepted);
  out.member("created", created);
  out.member("replaced", accepted - created);
  out.key("rejected");
  out.begin_array();
  for (const auto& [index, one] : rejected) {
    out.begin_object();
    out.member("index", index);
    if (!one.id.empty()) out.member("id", one.id);
    out.member("field", one.error.field);
    out.member("error", one.error.detail);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Answer post_items(const Request& request, const Deps& deps) {
  const auto kind = body_kind(request.header("content-type").value_or(std::string_view()));
  if (kind != BodyKind::kJson && kind != BodyKind::kNdjson) {
    return problem(415, "send application/json or application/x-ndjson");
  }
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  auto items = parse_items(request.body, *kind);
  if (!items) return problem(items.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  Bulk bulk{std::move(*name), {}, {}};
  std::vector<CatalogRecord> records;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto& outcome = (*items)[i];
    if (!outcome.item) {
      bulk.rejected[i] = {std::move(outcome.id), std::move(outcome.item.error())};
      continue;
    }
    bulk.appended[i] = outcome.item->id.value;
    records.push_back({bulk.command_of(i), std::move(*outcome.item), actor_of(request)});
  }
  if (records.empty()) return verdicts(deps, bulk);
  const auto id = bulk.command;
  return commands(deps, std::move(records), id,
                  [deps, bulk = std::move(bulk)](const Position&) { return verdicts(deps, bulk); });
}

}  // namespace

std::vector<Route> item_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  return {
      {"GET", "/v1/items", Policy::kPublic,
       [deps](const Request& request) { return when_visible(request, deps, list_items); }},
      {"POST", "/v1/items", Policy::kAdmin, with(post_items)},
      {"GET", "/v1/items/{id}", Policy::kPublic, with(get_item)},
      {"PUT", "/v1/items/{id}", Policy::kAdmin, with(put_item)},
      {"DELETE", "/v1/items/{id}", Policy::kAdmin, with(delete_item)},
  };
}

}  // namespace millrace::serving
