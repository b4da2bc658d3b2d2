#include "serving/surfaces/movies.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "schemas/catalog_record.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/genres.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/movie_lists.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/ratings.h"
#include "serving/surfaces/watch_history.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxTitle = 1'024, kMaxGenres = 64;
constexpr std::int64_t kFirstYear = 1'870, kLastYear = 2'200;
constexpr std::int64_t kEpochYear = 1'970;

// What a body says of a movie; absent: nothing.
struct MovieFields {
  std::optional<std::string> title;
  std::optional<std::vector<std::string>> genres;  // names
  std::optional<std::int64_t> year;
  bool no_year = false;  // null was given
  std::optional<std::string> description;
};

Result<std::vector<std::string>> genres_of(const Json& list, const state::GenresView& genres) {
  std::vector<std::string> names;
  if (list.kind != JsonKind::kArray || list.elements.size() > kMaxGenres) {
    return fail(Code::kInvalid, "must be a list of at most 64 ids of genres", "genres");
  }
  for (const Json& one : list.elements) {
    const auto number = one.kind == JsonKind::kNumber ? state::natural_of(":" + one.text) : 0;
    const auto* name = genres.name(GenreId(number));
    if (name == nullptr) {
      return fail(Code::kInvalid, "must be ids of genres: one of them is none", "genres");
    }
    if (std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(*name);
  }
  return names;
}

Result<MovieFields> movie_fields(const JsonBody& body, const state::GenresView& genres) {
  MovieFields fields;
  MILLRACE_TRY(fields.title, body.line("title", kMaxTitle));
  if (fields.title && fields.title->empty()) {
    return fail(Code::kInvalid, "must not be empty", "title");
  }
  if (const Json* list = body.find("genres")) {
    MILLRACE_TRY(fields.genres, genres_of(*list, genres));
  }
  MILLRACE_TRY(fields.year, body.integer("release_year", kFirstYear, kLastYear));
  fields.no_year = body.is_null("release_year");
  MILLRACE_TRY(fields.description, body.text("description", kMaxTextBytes));
  return fields;
}

// Sets or, without a value, removes a member.
void set_member(Json& object, const char* name, std::optional<Json> value) {
  std::erase_if(object.members, [name](const JsonMember& member) { return member.name == name; });
  if (value) object.members.push_back({name, *std::move(value)});
}

void apply_fields(const MovieFields& fields, Item& item) {
  if (fields.title) item.title = *fields.title;
  if (fields.genres) item.categories = *fields.genres;
  Json attributes{JsonKind::kObject, {}, {}, {}};
  if (auto kept = parse_json(item.attributes); kept && kept->kind == JsonKind::kObject) {
    attributes = *std::move(kept);
  }
  if (fields.year) {
    const auto year = std::to_string(*fields.year);
    set_member(attributes, "release_year", Json{JsonKind::kNumber, year, {}, {}});
    const auto shown = std::to_string(std::max(*fields.year, kEpochYear));
    item.published = parse_rfc3339(shown + "-01-01T00:00:00Z");
  }
  if (fields.no_year) {
    set_member(attributes, "release_year", std::nullopt);
    item.published.reset();
  }
  if (fields.description) {
    set_member(attributes, "description", Json{JsonKind::kString, *fields.description, {}, {}});
  }
  item.attributes.clear();
  if (attributes.members.empty()) return;
  JsonWriter out(item.attributes);
  append_json(out, attributes);
}

Reply movie_reply(const MovieSurface& surface, std::uint64_t number, int status) {
  const auto read = surface.deps.engine->read({});
  if (!read) return problem(read.error());
  const auto movies = surface.index->of(*read->catalog);
  const Movie* movie = find_movie(*movies, number);
  if (movie == nullptr) return problem({Code::kNotFound, "no movie has this id", {}});
  std::string body;
  JsonWriter out(body);
  append_movie(out, *movie, *surface.genres(), read->counts(movie->item->index));
  return json_reply(std::move(body), status);
}

Answer create_movie(const Request& request, const MovieSurface& surface) {
  const auto genres = surface.genres();
  const auto fields = JsonBody::of(request).and_then(
      [&](const JsonBody& body) { return movie_fields(body, *genres); });
  if (!fields) return problem(fields.error());
  if (!fields->title) return problem({Code::kInvalid, "is required", "title"});
  auto name = command_id(request, surface.deps);
  if (!name) return problem(name.error());
  MintItem mint;
  mint.item.kind = kMovieKind;
  mint.item.created = surface.deps.clock->now();
  apply_fields(*fields, mint.item);
  return command(surface.deps, {*name, std::move(mint), actor_of(request)},
                 [surface, name = *name](const Position&) {
                   const auto verdict = surface.deps.engine->catalog().verdict(name);
                   if (!verdict) return outcome_unknown(name);
                   return movie_reply(surface, verdict->number, 201);
                 });
}

Answer change_movie(const Request& request, const MovieSurface& surface) {
  return with_movie(request, surface, [request, surface](const Movie& movie) -> Answer {
    const auto genres = surface.genres();
    auto fields = JsonBody::of(request).and_then(
        [&](const JsonBody& body) { return movie_fields(body, *genres); });
    if (!fields) return problem(fields.error());
    if (request.method == "PUT") {  // what is not given is gone
      if (!fields->title) return problem({Code::kInvalid, "is required", "title"});
      if (!fields->genres) fields->genres.emplace();
      if (!fields->year) fields->no_year = true;
      if (!fields->description) fields->description.emplace();
    }
    auto name = command_id(request, surface.deps);
    if (!name) return problem(name.error());
    Item item = movie.item->item;
    apply_fields(*fields, item);
    return command(surface.deps, {*std::move(name), std::move(item), actor_of(request)},
                   [surface, number = movie.number](const Position&) {
                     return movie_reply(surface, number, 200);
                   });
  });
}

Answer delete_movie(const Request& request, const MovieSurface& surface) {
  return with_movie(request, surface, [request, surface](const Movie& movie) -> Answer {
    auto name = command_id(request, surface.deps);
    if (!name) return problem(name.error());
    return command(surface.deps, {*name, DeleteItem{movie.item->item.id}, actor_of(request)},
                   [surface, name = *name](const Position&) {
                     const auto outcome = surface.deps.engine->catalog().outcome(name);
                     if (outcome == CommandOutcome::kDeleted) return no_content();
                     return problem({Code::kNotFound, "no movie has this id", {}});
                   });
  });
}

Reply what_there_is(const Deps& deps) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  for (const char* name : {"movies", "genres", "ratings", "watch-history", "users", "token"}) {
    out.member(name, deps.options.public_url + "/api/" + name + "/");
  }
  out.end_object();
  return json_reply(std::move(body));
}

}  // namespace

std::vector<Route> movie_routes(const Deps& deps) {
  const MovieSurface surface{deps, std::make_shared<MovieIndex>()};
  std::vector<Route> routes = {
      {"GET", "/api/", Policy::kPublic, [deps](const Request&) { return what_there_is(deps); }},
      {"POST", "/api/movies/", Policy::kAdmin, on_surface(surface, create_movie)},
      {"PUT", "/api/movies/{id}/", Policy::kAdmin, on_surface(surface, change_movie)},
      {"PATCH", "/api/movies/{id}/", Policy::kAdmin, on_surface(surface, change_movie)},
      {"DELETE", "/api/movies/{id}/", Policy::kAdmin, on_surface(surface, delete_movie)},
  };
  for (auto more : {movie_list_routes(surface), rating_routes(surface),
                    watch_history_routes(surface), genre_routes(surface)}) {
    std::move(more.begin(), more.end(), std::back_inserter(routes));
  }
  return routes;
}

}  // namespace millrace::serving
