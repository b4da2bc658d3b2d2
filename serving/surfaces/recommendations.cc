#include "serving/surfaces/recommendations.h"

#include <functional>
#include <string>
#include <utility>

#include "processors/rankers/collaborative.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/impressions.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/rank_query.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kBytesPerItem = 160;  // of an answer, about

void append_items(JsonWriter& out, const processors::Ranked& ranked,
                  const state::CatalogView& catalog, bool explain) {
  out.key("items");
  out.begin_array();
  for (const auto& scored : ranked.items) {
    const auto* item = catalog.find(scored.item);
    if (item != nullptr) append_ranked(out, *item, scored, explain);
  }
  out.end_array();
}

Reply private_reply(std::string body) {
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

Reply recommend(const Request& request, const Deps& deps, const processors::Ranker& ranker) {
  const auto user = id_param(request, "user");
  if (!user) return problem(user.error());
  auto query = rank_query(request);
  if (!query) return problem(query.error());
  const std::string id = deps.ids->mint();
  query->user = UserId(*user);
  query->now = deps.clock->now();
  if (!request.query_value("seed")) query->seed = std::hash<std::string>()(id);
  const auto read = deps.engine->read(query->user.value, query->session);
  if (!read) return problem(read.error());
  const auto ranked = ranker.rank(*query, *read);
  std::string body;
  body.reserve((ranked.items.size() + 2) * kBytesPerItem * (query->explain ? 2 : 1));
  JsonWriter out(body);
  out.begin_object();
  out.member("user", *user);
  out.member("algorithm", ranked.algorithm);
  out.member("recommendation_id", id);
  out.member("level", ranked.level);
  append_items(out, ranked, *read->catalog, query->explain);
  out.end_object();
  log_impression(request, deps, id, {*query, *read, ranked, 0, ranked.items.size()});
  return private_reply(std::move(body));
}

Reply get_feed(const Request& request, const Deps& deps) {
  return recommend(request, deps, *processors::find_ranker("feed"));
}

Reply get_recommendations(const Request& request, const Deps& deps) {
  const auto ranker = algorithm_param(request);
  if (!ranker) return problem(ranker.error());
  return recommend(request, deps, **ranker);
}

Reply similar_reply(const Request& request, const Deps& deps, const std::string& id) {
  auto query = rank_query(request);
  if (!query) return problem(query.error());
  query->now = deps.clock->now();
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  const auto index = read->items->find(id);
  if (!index || read->catalog->find(*index) == nullptr) {
    return problem({Code::kNotFound, "no item has this id", {}});
  }
  const auto ranked = processors::rank_similar(*query, *read, ItemId(id));
  std::string body;
  body.reserve((ranked.items.size() + 1) * kBytesPerItem);
  JsonWriter out(body);
  out.begin_object();
  out.member("item", id);
  append_items(out, ranked, *read->catalog, query->explain);
  out.end_object();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "no-cache");
  return reply;
}

Answer get_similar(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  const auto index = deps.engine->items().find(*id);
  const bool known = index && deps.engine->catalog().view()->find(*index) != nullptr;
  const auto answer = [request, deps, id = *id] { return similar_reply(request, deps, id); };
  return known ? when_reached(deps, *position, answer) : behind_catalog(deps, *position, answer);
}

}  // namespace

std::vector<Route> recommendation_routes(const Deps& deps) {
  return {
      {"GET", "/v1/feed/{user}", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return when_visible(request, deps, get_feed); }},
      {"GET", "/v1/recommendations/{user}", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return when_visible(request, deps, get_recommendations); }},
      {"GET", "/v1/items/{id}/similar", Policy::kPublic,
       [deps](const Request& request) { return get_similar(request, deps); }},
  };
}

}  // namespace millrace::serving
