#include "serving/surfaces/engine_recommendations.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "processors/experiments/arm.h"
#include "processors/rankers/arrange.h"
#include "processors/rankers/common.h"
#include "processors/rankers/list.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/engine_ids.h"
#include "serving/surfaces/impressions.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/memo.h"
#include "serving/surfaces/rank_query.h"
#include "serving/surfaces/recommend.h"

namespace millrace::serving {
namespace {

constexpr std::int64_t kCount = 10;
constexpr std::int64_t kMaxCount = 100;
constexpr std::size_t kBytesPerItem = 240;  // of an answer, about
constexpr const char* kDefault = "hybrid_ensemble";

// Candidates are asked for again, in a burst of reloads, more often than they change: what was
// ranked holds for a second, and no longer than until the person acts or the catalog changes.
constexpr std::size_t kMemoBytes = 16u << 20;
constexpr std::int64_t kMemoMs = 1'000;

struct Candidates {
  processors::Ranked ranked;
};
std::size_t memory_bytes(const Candidates& candidates) {
  std::size_t bytes = 0;
  for (const auto& one : candidates.ranked.items) {
    bytes += sizeof one + one.parts.size() * sizeof(processors::Part);
  }
  return bytes;
}
using CandidateMemo = Memo<Candidates>;

Result<Ask> asked_of(const Request& request) {
  Ask asked;
  const auto user = request.params.find("user");
  MILLRACE_TRY(asked.query.user,
               numbered_user(user == request.params.end() ? "" : std::string_view(user->second)));
  MILLRACE_TRY(const auto count, int_param(request, "count", kCount, 1, kMaxCount));
  asked.query.limit = static_cast<std::size_t>(count);
  MILLRACE_TRY(asked.query.kind, kind_param(request));
  MILLRACE_TRY(asked.query.explain, bool_param(request, "explain", false));
  asked.open = !request.query_value("algorithm");
  if (asked.open) {
    asked.ranker = processors::find_ranker(kDefault);
  } else {
    MILLRACE_TRY(asked.ranker, algorithm_param(request));
  }
  return asked;
}

void append_product(JsonWriter& out, const state::CatalogItem& item,
                    const processors::Scored& scored, double probability,
                    const std::string& algorithm, bool explain) {
  out.begin_object();
  out.key("product_id");
  append_product_id(out, item);
  out.member("kind", item.item.kind);
  out.member("product_name", item.item.title);
  out.key("category");
  if (item.item.categories.empty()) {
    out.value(nullptr);
  } else {
    out.value(item.item.categories.front());
  }
  out.raw_member("price", item.item.price.empty() ? "null" : std::string_view(item.item.price));
  out.member("confidence_score", probability);
  out.member("algorithm", algorithm);
  if (explain) append_score(out, scored, true);
  out.end_object();
}

// Whoever names a position must see what is behind it, and gets fresh ones.
std::shared_ptr<const Candidates> candidates_of(const Ask& asked, const Request& request,
                                                const processors::ReadState& read,
                                                CandidateMemo& memo) {
  const auto& query = asked.query;
  const auto rank = [&] {
    return std::optional(Candidates{rank_arranged(*asked.ranker, query, read)});
  };
  if (request.header("x-millrace-position") || request.query_value("position")) {
    return std::make_shared<const Candidates>(*rank());
  }
  const auto* person = read.user.view.person.get();
  const auto version = static_cast<std::uint64_t>(query.now / kMemoMs) << 24 |
                       (processors::mix(static_cast<std::uint64_t>(read.catalog->offset()) +
                                        (person == nullptr ? 0 : person->events << 20)) >>
                        40);
  const auto key = std::string(asked.ranker->name) + " " + query.kind + " " +
                   std::to_string(query.limit) + (query.explain ? " e " : " ") + query.user.value;
  return memo.get(key, version, rank);
}

Reply body_of(const std::string& id, const processors::Query& query,
              const processors::ReadState& read, const processors::Ranked& ranked,
              const Deps& deps) {
  std::vector<processors::Outcomes::Offered> items;
  for (const auto& scored : ranked.items) items.push_back({scored.item, scored.score});
  const auto probabilities = deps.engine->views().outcomes().probabilities(
      ranked.algorithm, query.user.value, items, query.now);
  std::string body;
  body.reserve((ranked.items.size() + 2) * kBytesPerItem * (query.explain ? 2 : 1));
  JsonWriter out(body);
  out.begin_object();
  out.raw_member("user_id", query.user.value);
  out.key("recommendations");
  out.begin_array();
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < ranked.items.size(); ++i) {
    const auto& scored = ranked.items[i];
    const auto* item = read.catalog->find(scored.item);
    if (item == nullptr || read.sold_out(scored.item)) continue;
    append_product(out, *item, scored, probabilities[i], ranked.algorithm, query.explain);
    ++count;
  }
  out.end_array();
  out.member("count", count);
  out.member("level", ranked.level);
  out.member("recommendation_id", id);
  out.end_object();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

Reply show(const Ask& asked, const Request& request, const Deps& deps, CandidateMemo& memo) {
  auto query = asked.query;
  const std::string id = deps.ids->mint();
  query.now = deps.clock->now();
  query.seed = std::hash<std::string>()(id);
  const auto read = deps.engine->read(query.user.value);
  if (!read) return problem(read.error());
  const auto candidates = candidates_of({query, asked.ranker}, request, *read, memo);
  const auto& ranked = candidates->ranked;
  log_impression(request, deps, id, {query, *read, ranked, 0, ranked.items.size()});
  return body_of(id, query, *read, ranked, deps);
}

// Who is in an experiment gets what that shows, ranked for this request.
Answer get_recommendations(const Request& request, const Deps& deps,
                           const std::shared_ptr<CandidateMemo>& memo) {
  auto asked = asked_of(request);
  if (!asked) return problem(asked.error());
  const auto catalog = deps.engine->catalog().view();
  if (asked->open && processors::experiment_arm(*catalog, asked->query.user, deps.clock->now())) {
    return recommend(request, deps, *std::move(asked), [deps](const Recommendation& one) {
      return body_of(one.id, one.query, one.read, one.ranked, deps);
    });
  }
  return when_visible(request, deps, [memo, asked = *asked](const Request& seen, const Deps& here) {
    return show(asked, seen, here, *memo);
  });
}

}  // namespace

std::vector<Route> engine_recommendation_routes(const Deps& deps) {
  const auto memo = std::make_shared<CandidateMemo>(kMemoBytes, deps.metrics);
  return {
      {"GET", "/api/recommendations/{user}/", Policy::kSelfOrAdmin,
       [deps, memo](const Request& request) { return get_recommendations(request, deps, memo); }}};
}

}  // namespace millrace::serving
