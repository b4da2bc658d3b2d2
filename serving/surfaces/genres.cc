#include "serving/surfaces/genres.h"

#include <utility>

#include "schemas/catalog_record.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/pages.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxName = 128;  // of a category
constexpr int kMaxAge = 3'600;         // seconds

Reply no_genre() { return problem({Code::kNotFound, "no genre has this id", {}}); }

void append_genre(JsonWriter& out, GenreId id, const std::string& name) {
  out.begin_object();
  out.member("id", id.value);
  out.member("name", name);
  out.end_object();
}

Reply genre_reply(const MovieSurface& surface, GenreId id, int status) {
  const auto genres = surface.genres();
  const auto* name = genres->name(id);
  if (name == nullptr) return no_genre();
  std::string body;
  JsonWriter out(body);
  append_genre(out, id, *name);
  return json_reply(std::move(body), status);
}

Reply list_genres(const Request& request, const MovieSurface& surface) {
  const auto query = page_query(request);
  if (!query) return problem(query.error());
  const auto genres = surface.genres();
  const std::vector<std::pair<GenreId, std::string>> all(genres->all().begin(),
                                                         genres->all().end());
  auto reply = page_reply(
      request, surface.deps, *query, all.size(),
      [&](JsonWriter& out, std::size_t at) { append_genre(out, all[at].first, all[at].second); });
  return reply.status == 200 ? cacheable(std::move(reply), request, kMaxAge) : reply;
}

Answer get_genre(const Request& request, const MovieSurface& surface) {
  const auto position = asked_position(request, surface.deps);
  if (!position) return problem(position.error());
  const GenreId id(number_param(request).value_or(0));
  const auto answer = [request, surface, id]() -> Answer {
    auto reply = genre_reply(surface, id, 200);
    return reply.status == 200 ? cacheable(std::move(reply), request, kMaxAge) : reply;
  };
  const bool known = surface.genres()->name(id) != nullptr;
  return known ? after(surface.deps, *position, answer)
               : behind_catalog(surface.deps, *position, answer);
}

// A new genre when `id` is 0. PUT needs a name; PATCH without one changes nothing.
Answer put_genre(const Request& request, const MovieSurface& surface, GenreId id, bool needs_name) {
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  auto given = body->line("name", kMaxName);
  if (!given) return problem(given.error());
  if (!*given && !needs_name) return genre_reply(surface, id, 200);
  if (!*given || (*given)->empty()) return problem({Code::kInvalid, "is required", "name"});
  auto name = command_id(request, surface.deps);
  if (!name) return problem(name.error());
  const auto answer = [surface, name = *name, status = id.value == 0 ? 201 : 200](const Position&) {
    const auto verdict = surface.deps.engine->catalog().verdict(name);
    if (!verdict) return outcome_unknown(name);
    if (verdict->outcome == CommandOutcome::kNameTaken) {
      return problem({Code::kConflict, "is another genre's", "name"});
    }
    return genre_reply(surface, GenreId(verdict->number), status);
  };
  return command(surface.deps, {*name, PutGenre{id, **given}, actor_of(request)}, answer);
}

Answer change_genre(const Request& request, const MovieSurface& surface) {
  const GenreId id(number_param(request).value_or(0));
  if (surface.genres()->name(id) == nullptr) return no_genre();
  return put_genre(request, surface, id, request.method == "PUT");
}

Answer delete_genre(const Request& request, const MovieSurface& surface) {
  const GenreId id(number_param(request).value_or(0));
  if (surface.genres()->name(id) == nullptr) return no_genre();
  auto name = command_id(request, surface.deps);
  if (!name) return problem(name.error());
  return command(surface.deps, {*name, DeleteGenre{id}, actor_of(request)},
                 [surface, name = *name](const Position&) {
                   const auto outcome = surface.deps.engine->catalog().outcome(name);
                   return outcome == CommandOutcome::kDeleted ? no_content() : no_genre();
                 });
}

}  // namespace

std::vector<Route> genre_routes(const MovieSurface& surface) {
  return {
      {"GET", "/api/genres/", Policy::kPublic, on_visible(surface, list_genres)},
      {"POST", "/api/genres/", Policy::kAdmin,
       [surface](const Request& request) { return put_genre(request, surface, {}, true); }},
      {"GET", "/api/genres/{id}/", Policy::kPublic, on_surface(surface, get_genre)},
      {"PUT", "/api/genres/{id}/", Policy::kAdmin, on_surface(surface, change_genre)},
      {"PATCH", "/api/genres/{id}/", Policy::kAdmin, on_surface(surface, change_genre)},
      {"DELETE", "/api/genres/{id}/", Policy::kAdmin, on_surface(surface, delete_genre)},
  };
}

}  // namespace millrace::serving
