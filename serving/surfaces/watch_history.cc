#include "serving/surfaces/watch_history.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "schemas/account.h"
#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/pages.h"

namespace millrace::serving {
namespace {

struct Watched {
  std::uint64_t movie = 0;
  UnixMillis at = 0;  // event time of the first watch or rating since it was last taken back
  bool rated = false;
};

bool is(std::uint32_t type, BuiltIn known) { return type == static_cast<std::uint32_t>(known); }

// What a person has watched, newest first. What the history does not keep any more is dated by the
// last event that is known of it.
Result<std::vector<Watched>> watched_by(const MovieSurface& surface, AccountId person) {
  const auto user = user_of(person).value;
  MILLRACE_TRY(const auto read, surface.deps.engine->read(user));
  if (!read.user.view.person) return std::vector<Watched>();
  const auto& store =
      surface.deps.engine->store(partition_of(user, surface.deps.engine->partitions()));
  MILLRACE_TRY(const auto events, store.history(user, {.limit = SIZE_MAX}));
  std::unordered_map<state::ItemIndex, UnixMillis> since;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (is(event->type, BuiltIn::kUnwatch)) since.erase(event->item);
    if (is(event->type, BuiltIn::kWatch) || is(event->type, BuiltIn::kRate)) {
      since.emplace(event->item, event->event.time.value_or(event->log_time));
    }
  }
  const auto movies = surface.index->of(*read.catalog);
  std::vector<Watched> out;
  read.user.view.person->for_each_row([&](const state::ItemRow& row) {
    if (!row.has(state::kWatched)) return;
    const auto item = read.user.index_of(row.item);
    const auto* known = read.catalog->find(item);
    if (known == nullptr || find_movie(*movies, known->natural) == nullptr) return;
    const auto at = since.find(item);
    out.push_back(
        {known->natural, at == since.end() ? row.last_time : at->second, row.has(state::kRated)});
  });
  std::sort(out.begin(), out.end(), [](const Watched& a, const Watched& b) {
    return a.at != b.at ? a.at > b.at : a.movie < b.movie;
  });
  return out;
}

Result<std::optional<Watched>> find_watched(const MovieSurface& surface, AccountId person,
                                            std::uint64_t movie) {
  MILLRACE_TRY(const auto all, watched_by(surface, person));
  for (const Watched& one : all) {
    if (one.movie == movie) return one;
  }
  return std::nullopt;
}

void append_watched(JsonWriter& out, AccountId person, const Watched& watched) {
  out.begin_object();
  out.member("id", UserMovie{person.value, watched.movie}.number());
  out.member("movie", watched.movie);
  out.member("watched_at", rfc3339(watched.at));
  out.end_object();
}

Reply watched_reply(const MovieSurface& surface, AccountId person, std::uint64_t movie,
                    int status) {
  const auto watched = find_watched(surface, person, movie);
  if (!watched) return problem(watched.error());
  if (!*watched) return problem({Code::kNotFound, "no entry has this id", {}});
  std::string body;
  JsonWriter out(body);
  append_watched(out, person, **watched);
  return personal(json_reply(std::move(body), status));
}

Reply list_history(const Request& request, const MovieSurface& surface) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  const auto query = page_query(request);
  if (!query) return problem(query.error());
  const auto watched = watched_by(surface, *person);
  if (!watched) return problem(watched.error());
  auto reply = page_reply(
      request, surface.deps, *query, watched->size(),
      [&](JsonWriter& out, std::size_t at) { append_watched(out, *person, (*watched)[at]); });
  return reply.status == 200 ? personal(std::move(reply)) : reply;
}

Reply get_entry(const Request& request, const MovieSurface& surface) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  const auto of = UserMovie::of(number_param(request).value_or(0));
  if (of.user != person->value) {
    return problem({Code::kForbidden, "this is not an entry of yours", {}});
  }
  return watched_reply(surface, *person, of.movie, 200);
}

Event event_of(const char* type, AccountId person, const Movie& movie) {
  Event event;
  event.type = type;
  event.user = user_of(person);
  event.item = movie.item->item.id;
  return event;
}

Answer watch(const Request& request, const MovieSurface& surface) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  return with_movie(request, surface, [surface, person = *person](const Movie& movie) -> Answer {
    const auto before = find_watched(surface, person, movie.number);
    if (!before) return problem(before.error());
    if (*before) return watched_reply(surface, person, movie.number, 200);
    return act(surface.deps, event_of("watch", person, movie), {},
               [surface, person, number = movie.number] {
                 return watched_reply(surface, person, number, 201);
               });
  });
}

Reply rated_already() {
  return problem(
      {Code::kInvalid, "is rated by you, and so stays watched: remove the rating first", "movie"});
}

Answer unwatch(const Request& request, const MovieSurface& surface) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  return with_movie(request, surface, [surface, person = *person](const Movie& movie) -> Answer {
    const auto before = find_watched(surface, person, movie.number);
    if (!before) return problem(before.error());
    if (!*before) return problem({Code::kNotFound, "is not in your history", "movie"});
    if ((*before)->rated) return rated_already();
    return act(surface.deps, event_of("unwatch", person, movie), {},
               [surface, person, number = movie.number] {
                 // Rated meanwhile: the rule has kept it.
                 const auto left = find_watched(surface, person, number);
                 return left && *left && (*left)->rated ? rated_already() : no_content();
               });
  });
}

}  // namespace

std::vector<Route> watch_history_routes(const MovieSurface& surface) {
  return {
      {"POST", "/api/movies/{id}/watch/", Policy::kUser, on_surface(surface, watch)},
      {"POST", "/api/movies/{id}/unwatch/", Policy::kUser, on_surface(surface, unwatch)},
      {"GET", "/api/watch-history/", Policy::kUser, on_visible(surface, list_history)},
      {"GET", "/api/watch-history/{id}/", Policy::kUser, on_visible(surface, get_entry)},
  };
}

}  // namespace millrace::serving
