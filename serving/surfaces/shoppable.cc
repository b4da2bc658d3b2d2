#include "serving/surfaces/shoppable.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "processors/rankers/arrange.h"
#include "schemas/json_value.h"
#include "schemas/json_writer.h"
#include "schemas/partitioner.h"
#include "schemas/rules.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/impressions.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/rank_query.h"
#include "serving/surfaces/video_body.h"
#include "state/duplicates.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxDepth = 100;  // videos of one feed: its candidates
constexpr std::size_t kMaxFrom = 1'000'000'000;
constexpr const char* kRecommendationHeader = "X-Millrace-Recommendation";
constexpr std::uint64_t kSeedMask = (std::uint64_t{1} << 53) - 1;  // what JSON's readers keep exact

// ---- pages

// Where a page begins: the seed that orders the feed, and how many videos were shown.
struct Place {
  std::uint64_t seed = 0;
  std::size_t from = 0;
};

Result<Place> place_param(const Request& request, const Deps& deps) {
  MILLRACE_TRY(const std::string text, cursor_param(request));
  Place place;
  if (text.empty()) {
    const auto fresh = std::hash<std::string>()(deps.ids->mint()) & kSeedMask;
    MILLRACE_TRY(const auto seed, int_param(request, "seed", static_cast<std::int64_t>(fresh), 0,
                                            static_cast<std::int64_t>(kSeedMask)));
    place.seed = static_cast<std::uint64_t>(seed);
    return place;
  }
  const auto* end = text.data() + text.size();
  const auto seed = std::from_chars(text.data(), end, place.seed);
  const bool parted = seed.ec == std::errc() && seed.ptr != end && *seed.ptr == ' ';
  const auto from = parted ? std::from_chars(seed.ptr + 1, end, place.from) : seed;
  if (!parted || from.ec != std::errc() || from.ptr != end || place.seed > kSeedMask ||
      place.from > kMaxFrom) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  return place;
}

void link_next(Reply& reply, const Request& request, const Deps& deps, const Place& next) {
  std::string link = deps.options.public_url + request.path + "?";
  for (const char* name : {"limit", "explain", "in_a_row", "rest"}) {
    if (const auto value = request.query_value(name)) {
      link.append(name).append("=").append(*value).append("&");
    }
  }
  link += "cursor=" + cursor_of(std::to_string(next.seed) + " " + std::to_string(next.from));
  reply.headers.emplace_back("Link", "<" + link + ">; rel=\"next\"");
}

Reply get_feed(const Request& request, const Deps& deps) {
  const auto place = place_param(request, deps);
  if (!place) return problem(place.error());
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto explain = bool_param(request, "explain", false);
  if (!explain) return problem(explain.error());
  processors::Query query;
  query.user = caller_of(request);
  query.kind = kVideoKind;
  query.limit = kMaxDepth;  // on every page: candidates depend on it
  query.seed = place->seed;
  query.explain = *explain;
  query.now = deps.clock->now();
  query.in_a_row = 0;
  query.rest_ms = 0;
  const auto settings = feed_params(request, query);
  if (!settings) return problem(settings.error());
  const auto read = deps.engine->read(query.user.value);
  if (!read) return problem(read.error());
  const auto ranked = rank_arranged(*processors::find_ranker("feed"), query, *read);
  const auto flags = flags_of(*read);
  const auto end = std::min(ranked.items.size(), place->from + *limit);
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (std::size_t at = place->from; at < end; ++at) {
    const auto* video = video_at(*read->catalog, ranked.items[at].item);
    if (video == nullptr) continue;
    const auto found = flags.find(video->index);
    begin_video(out, deps, *video, *read, found == flags.end() ? 0 : found->second, query.now);
    if (*explain) append_score(out, ranked.items[at], true);
    out.end_object();
  }
  out.end_array();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "private, no-store");
  reply.headers.emplace_back("X-Millrace-Seed", std::to_string(place->seed));
  const auto id = deps.ids->mint();
  reply.headers.emplace_back(kRecommendationHeader, id);
  log_impression(request, deps, id, {query, *read, ranked, std::min(place->from, end), end});
  if (ranked.items.size() > end) link_next(reply, request, deps, {place->seed, end});
  return reply;
}

// What a person likes, or has saved: what they dealt with last comes first.
Reply get_mine(const Request& request, const Deps& deps, state::RowFlag flag) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  const auto place = place_param(request, deps);
  if (!place) return problem(place.error());
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto read = deps.engine->read(user_of(*person).value);
  if (!read) return problem(read.error());
  struct Mine {
    const state::CatalogItem* video;
    UnixMillis last;
    std::uint8_t flags;
  };
  std::vector<Mine> mine;
  if (read->user.view.person) {
    read->user.view.person->for_each_row([&](const state::ItemRow& row) {
      if (!row.has(flag)) return;
      const auto* video = video_at(*read->catalog, read->user.index_of(row.item));
      if (video != nullptr) mine.push_back({video, row.last_time, row.flags});
    });
  }
  std::sort(mine.begin(), mine.end(), [](const Mine& a, const Mine& b) {
    return a.last != b.last ? a.last > b.last : a.video->natural < b.video->natural;
  });
  const auto end = std::min(mine.size(), place->from + *limit);
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (std::size_t at = place->from; at < end; ++at) {
    begin_video(out, deps, *mine[at].video, *read, mine[at].flags, deps.clock->now());
    out.end_object();
  }
  out.end_array();
  auto reply = personal(json_reply(std::move(body)));
  if (mine.size() > end) link_next(reply, request, deps, {0, end});
  return reply;
}

// ---- one video

// What people do with a video, and what it answers: whether it holds now, and the video's counts.
struct Action {
  const char* type;
  bool toggle;
  std::function<void(JsonWriter&, bool holds, const state::ItemCounts&)> outcome;
};

// The event as apply has resolved it: a toggle may have been an undoing.
Reply outcome_reply(const Deps& deps, const UserId& user, const std::string& key,
                    state::ItemIndex video, const Action& action) {
  const auto identity = state::identity_of(user.value, kApiSource, key);
  const auto partition = partition_of(user.value, deps.engine->partitions());
  const auto first = deps.engine->store(partition).first_seen(identity);
  if (!first) return outcome_unknown(key);
  const auto read = deps.engine->read(user.value);
  if (!read) return problem(read.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("status", "success");
  action.outcome(out, first->verdict != state::Verdict::kUndone, read->counts(video));
  out.end_object();
  return json_reply(std::move(body));
}

Result<std::string> recommendation_of(const Request& request) {
  const auto id = request.header("x-millrace-recommendation");
  if (!id) return std::string();
  MILLRACE_CHECK(check_id(*id, kRecommendationHeader));
  return std::string(*id);
}

Answer take(const Request& request, const Deps& deps, const Action& action) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  auto key = event_key(request);
  if (!key) return problem(key.error());
  if (key->empty()) key = deps.ids->mint();
  const auto recommendation = recommendation_of(request);
  if (!recommendation) return problem(recommendation.error());
  Event event;
  event.type = action.type;
  event.toggle = action.toggle;
  event.user = user_of(*person);
  event.recommendation_id = *recommendation;
  return with_video(request, deps,
                    [deps, action, key = *key, event = std::move(event)](
                        const ItemId& id, state::ItemIndex index) -> Answer {
                      Event taken = event;
                      taken.item = id;
                      const auto answer = [deps, user = event.user, key, index, action] {
                        return outcome_reply(deps, user, key, index, action);
                      };
                      return act(deps, std::move(taken), key, answer, Sums::kEverywhere);
                    });
}

std::vector<Route> action_routes(const Deps& deps) {
  const auto route = [&deps](const char* name, Action action) {
    return Route{"POST", "/api/v1/shoppable-videos/{id}/" + std::string(name) + "/", Policy::kUser,
                 [deps, action = std::move(action)](const Request& request) {
                   return take(request, deps, action);
                 }};
  };
  using Counts = state::ItemCounts;
  return {route("like", {"like", true,
                         [](JsonWriter& out, bool holds, const Counts& counts) {
                           out.member("liked", holds);
                           out.member("likes_count", counts.likes);
                         }}),
          route("save_video",
                {"save", true,
                 [](JsonWriter& out, bool holds, const Counts&) { out.member("saved", holds); }}),
          route("share", {"share", false,
                          [](JsonWriter& out, bool, const Counts& counts) {
                            out.member("shares_count", counts.shares);
                          }}),
          route("view", {"view", false, [](JsonWriter& out, bool, const Counts& counts) {
                           out.member("views_count", counts.views);
                         }})};
}

}  // namespace

std::vector<Route> shoppable_routes(const Deps& deps) {
  auto routes = action_routes(deps);
  const auto mine = [deps](state::RowFlag flag) -> Handler {
    return [deps, flag](const Request& request) {
      return when_visible(request, deps, [flag](const Request& seen, const Deps& with) {
        return get_mine(seen, with, flag);
      });
    };
  };
  routes.push_back({"GET", "/api/v1/shoppable-videos/", Policy::kPublic,
                    [deps](const Request& r) { return when_visible(r, deps, get_feed); }});
  routes.push_back({"GET", "/api/v1/shoppable-videos/liked/", Policy::kUser, mine(state::kLiked)});
  routes.push_back({"GET", "/api/v1/shoppable-videos/saved/", Policy::kUser, mine(state::kSaved)});
  routes.push_back(
      {"GET", "/api/v1/shoppable-videos/{id}/", Policy::kPublic, [deps](const Request& request) {
         return with_video(
             request, deps,
             [deps, user = caller_of(request)](const ItemId&, state::ItemIndex index) -> Answer {
               return video_reply(deps, user, index);
             });
       }});
  return routes;
}

}  // namespace millrace::serving
