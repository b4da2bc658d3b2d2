#include "serving/surfaces/recommendations.h"

#include <string>
#include <utility>

#include "processors/rankers/collaborative.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/rank_query.h"
#include "serving/surfaces/recommend.h"

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

// Which experiment chose how to rank, and by which variant; of interleaving it was both.
void append_arm(JsonWriter& out, const processors::ExperimentArm& arm) {
  out.key("experiment");
  out.begin_object();
  out.member("id", arm.asked().id);
  if (!arm.interleaves()) out.member("variant", arm.asked().variants[arm.number].name);
  out.end_object();
}

Reply private_reply(std::string body) {
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

Reply recommendation_reply(const Recommendation& one) {
  const bool explain = one.query.explain;
  std::string body;
  body.reserve((one.ranked.items.size() + 2) * kBytesPerItem * (explain ? 2 : 1));
  JsonWriter out(body);
  out.begin_object();
  out.member("user", one.query.user.value);
  out.member("algorithm", one.ranked.algorithm);
  out.member("recommendation_id", one.id);
  if (one.arm) append_arm(out, *one.arm);
  out.member("level", one.ranked.level);
  append_items(out, one.ranked, *one.read.catalog, explain);
  out.end_object();
  return private_reply(std::move(body));
}

Answer recommend_to(const Request& request, const Deps& deps, const processors::Ranker& ranker,
                    bool open) {
  auto user = id_param(request, "user");
  if (!user) return problem(user.error());
  auto query = rank_query(request);
  if (!query) return problem(query.error());
  query->user = UserId(*std::move(user));
  return recommend(request, deps, {*std::move(query), &ranker, open}, recommendation_reply);
}

Answer get_feed(const Request& request, const Deps& deps) {
  return recommend_to(request, deps, *processors::find_ranker("feed"), false);
}

Answer get_recommendations(const Request& request, const Deps& deps) {
  const auto ranker = algorithm_param(request);
  if (!ranker) return problem(ranker.error());
  return recommend_to(request, deps, **ranker, !request.query_value("algorithm"));
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
       [deps](const Request& request) { return get_feed(request, deps); }},
      {"GET", "/v1/recommendations/{user}", Policy::kSelfOrAdmin,
       [deps](const Request& request) { return get_recommendations(request, deps); }},
      {"GET", "/v1/items/{id}/similar", Policy::kPublic,
       [deps](const Request& request) { return get_similar(request, deps); }},
  };
}

}  // namespace millrace::serving
