#include "serving/surfaces/movie_surface.h"

#include <utility>

#include "schemas/account.h"
#include "serving/surfaces/common.h"
#include "state/digest.h"

namespace millrace::serving {

Result<AccountId> person_of(const Request& request) {
  if (request.caller.account.value != 0) return request.caller.account;
  if (request.caller.token.value != 0) {
    return fail(Code::kForbidden, "this is for people with an account");
  }
  return fail(Code::kUnauthorized, "send a token: Authorization: Bearer …");
}

std::optional<std::uint64_t> number_param(const Request& request) {
  const auto found = request.params.find("id");
  if (found == request.params.end()) return std::nullopt;
  const auto number = state::natural_of(":" + found->second);
  return number == UINT64_MAX ? std::nullopt : std::optional(number);
}

void append_movie(JsonWriter& out, const Movie& movie, const state::GenresView& genres,
                  const state::ItemCounts& counts) {
  out.begin_object();
  out.member("id", movie.number);
  out.member("title", movie.item->item.title);
  out.key("genres");
  out.begin_array();
  for (const auto& name : movie.item->item.categories) {
    const auto id = genres.find(name);
    if (!id) continue;
    out.begin_object();
    out.member("id", id->value);
    out.member("name", name);
    out.end_object();
  }
  out.end_array();
  out.key("release_year");
  if (movie.year) {
    out.value(*movie.year);
  } else {
    out.value(nullptr);
  }
  out.member("description", movie.description);
  out.key("average_rating");
  if (counts.raters == 0) {
    out.value(nullptr);
  } else {
    out.value(counts.average_rating());
  }
  out.member("watch_count", counts.watchers);
  out.member("popularity", counts.popularity());
  out.end_object();
}

Answer after(const Deps& deps, const Position& position, std::function<Answer()> next) {
  auto& publisher = deps.engine->publisher();
  if (publisher.reached(position)) return next();
  const int timeout_ms = deps.options.position_wait_ms;
  return Later{[&publisher, timeout_ms, position, next = std::move(next)](auto finish) {
    publisher.when_reached(position, timeout_ms,
                           [position, next, finish = std::move(finish)](bool reached) {
                             finish_with(reached ? next() : Answer(not_yet(position)), finish);
                           });
  }};
}

Answer with_movie(const Request& request, const MovieSurface& surface,
                  std::function<Answer(const Movie&)> next) {
  const auto position = asked_position(request, surface.deps);
  if (!position) return problem(position.error());
  const auto number = number_param(request).value_or(0);
  const auto answer = [surface, number, next = std::move(next)]() -> Answer {
    const auto movies = surface.movies();
    const Movie* movie = find_movie(*movies, number);
    if (movie == nullptr) return problem({Code::kNotFound, "no movie has this id", {}});
    return next(*movie);
  };
  const bool known = find_movie(*surface.movies(), number) != nullptr;
  return known ? after(surface.deps, *position, answer)
               : behind_catalog(surface.deps, *position, answer);
}

Answer act(const Deps& deps, Event event, const std::string& key, std::function<Reply()> answer,
           Sums sums) {
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  if (event.source.empty()) event.source = kApiSource;
  event.id = key;
  std::vector<EventOutcome> events;
  events.push_back({key, std::move(event)});
  return Later{
      [deps, sums, events = std::move(events), answer = std::move(answer)](auto finish) mutable {
        deps.acceptor->accept(std::move(events), [deps, sums, answer, finish = std::move(finish)](
                                                     Result<ingest::Receipt> receipt) {
          if (!receipt) return finish(rendered(problem(receipt.error())));
          if (!receipt->rejected.empty()) {
            return finish(rendered(problem(receipt->rejected.front().error)));
          }
          deps.engine->publisher().when_reached(
              receipt->position, deps.options.position_wait_ms,
              [deps, sums, answer, finish, position = receipt->position](bool reached) {
                const Render render = [answer, position, reached] {
                  Reply reply = reached ? answer() : not_yet(position);
                  set_position(reply, position);
                  return reply;
                };
                if (!reached || sums == Sums::kHere || !deps.log->shared()) return finish(render);
                catch_up_with_log(deps, [finish, render] { finish(render); });
              });
        });
      }};
}

Result<std::string> event_key(const Request& request) {
  MILLRACE_TRY(const std::string key, idempotency_key(request));
  return key.empty() ? key : request.method + " " + request.path + " " + key;
}

std::string etag_of(std::string_view body) {
  return '"' + state::row_digest({}, body).text() + '"';
}

Reply cacheable(Reply reply, const Request& request, int max_age_s) {
  if (request.caller.token.value != 0 || max_age_s == 0) return personal(std::move(reply));
  reply.headers.emplace_back("ETag", etag_of(reply.body));
  reply.headers.emplace_back("Cache-Control", "public, max-age=" + std::to_string(max_age_s));
  reply.headers.emplace_back("Vary", "Authorization, X-API-Key, X-Millrace-Position");
  return reply;
}

Reply personal(Reply reply) {
  const auto etag = etag_of(reply.body);
  return personal(std::move(reply), etag);
}

Reply personal(Reply reply, const std::string& etag) {
  reply.headers.emplace_back("ETag", etag);
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

}  // namespace millrace::serving
