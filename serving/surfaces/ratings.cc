#include "serving/surfaces/ratings.h"

#include <algorithm>
#include <utility>

#include "processors/views/ratings_index.h"
#include "schemas/account.h"
#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/pages.h"

namespace millrace::serving {
namespace {

using processors::Rating;

Reply no_rating() { return problem({Code::kNotFound, "no rating has this id", {}}); }

// ---- reading

// The words of a rating: the notes of the event that made it, as long as the history keeps it.
std::string review_of(const Deps& deps, const Rating& rating) {
  if (!rating.reviewed) return {};
  const auto user = std::to_string(rating.user);
  const auto& store = deps.engine->store(partition_of(user, deps.engine->partitions()));
  const auto events = store.history(user, {.limit = 1, .before = rating.offset + 1});
  const bool found = events && !events->empty() && events->front().offset == rating.offset;
  return found ? events->front().event.notes : std::string();
}

void append_rating(JsonWriter& out, const Deps& deps, const Movie& movie, const Rating& rating) {
  out.begin_object();
  out.member("id", UserMovie{rating.user, movie.number}.number());
  out.member("user", rating.user);
  out.member("movie", movie.number);
  out.member("rating", rating.centi / 100.0);
  out.member("review", review_of(deps, rating));
  out.member("created_at", rfc3339(rating.created));
  out.member("updated_at", rfc3339(rating.updated));
  out.end_object();
}

// A movie and what a user says of it.
struct Rated {
  std::shared_ptr<const Movies> movies;
  const Movie* movie = nullptr;  // of movies
  std::optional<Rating> rating;
};

Rated find_rated(const MovieSurface& surface, const UserMovie& of) {
  Rated found{surface.movies(), nullptr, {}};
  found.movie = find_movie(*found.movies, of.movie);
  if (found.movie != nullptr && of.user < kMaxUserNumber) {
    found.rating = surface.deps.engine->views().ratings().find(found.movie->item->index,
                                                               static_cast<std::uint32_t>(of.user));
  }
  return found;
}

Reply rating_reply(const MovieSurface& surface, const UserMovie& of, int status) {
  const auto found = find_rated(surface, of);
  if (!found.rating) return no_rating();
  std::string body;
  JsonWriter out(body);
  append_rating(out, surface.deps, *found.movie, *found.rating);
  return json_reply(std::move(body), status);
}

Reply get_rating(const Request& request, const MovieSurface& surface) {
  auto reply = rating_reply(surface, UserMovie::of(number_param(request).value_or(0)), 200);
  return reply.status == 200 ? personal(std::move(reply)) : reply;
}

// Of one movie: in the order of users.
Answer ratings_of_movie(const Request& request, const MovieSurface& surface) {
  return with_movie(request, surface, [request, surface](const Movie& movie) -> Answer {
    const auto query = page_query(request);
    if (!query) return problem(query.error());
    const auto& index = surface.deps.engine->views().ratings();
    const auto count = index.count(movie.item->index);
    const auto ratings = index.page(movie.item->index, query->first(), query->size);
    const auto shown = std::min<std::size_t>(count, query->first() + ratings.size());
    auto reply = page_reply(request, surface.deps, *query, std::max<std::size_t>(count, shown),
                            [&](JsonWriter& out, std::size_t at) {
                              if (at - query->first() >= ratings.size())
                                return;  // taken away meanwhile
                              append_rating(out, surface.deps, movie, ratings[at - query->first()]);
                            });
    return reply.status == 200 ? personal(std::move(reply)) : reply;
  });
}

// Of all: movie by movie, in the order of users.
Reply list_ratings(const Request& request, const MovieSurface& surface) {
  const auto query = page_query(request);
  if (!query) return problem(query.error());
  const auto& index = surface.deps.engine->views().ratings();
  const auto movies = surface.movies();
  std::vector<std::pair<const Movie*, Rating>> shown;
  std::size_t count = 0;
  for (const Movie& movie : *movies) {
    if (movie.number >= kMaxMovieNumber) break;
    const std::size_t its = index.count(movie.item->index);
    const std::size_t at = query->first() + shown.size();
    if (shown.size() < query->size && count + its > at) {
      const auto from = at - count;
      for (const auto& rating : index.page(movie.item->index, from, query->size - shown.size())) {
        shown.emplace_back(&movie, rating);
      }
    }
    count += its;
  }
  auto reply =
      page_reply(request, surface.deps, *query, count, [&](JsonWriter& out, std::size_t at) {
        if (at - query->first() >= shown.size()) return;
        const auto& [movie, rating] = shown[at - query->first()];
        append_rating(out, surface.deps, *movie, rating);
      });
  return reply.status == 200 ? personal(std::move(reply)) : reply;
}

// ---- rating

constexpr std::int64_t kMostStars = 5;

Event rating_event(const UserMovie& of, const Movie& movie, std::int32_t centi,
                   std::string review) {
  Event event;
  event.type = "rate";
  event.user = user_of(AccountId(of.user));
  event.item = movie.item->item.id;
  event.value_centi = centi;
  event.notes = std::move(review);
  return event;
}

Answer rate(const Request& request, const MovieSurface& surface) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  return with_movie(
      request, surface, [request, surface, person = *person](const Movie& movie) -> Answer {
        const auto body = JsonBody::of(request);
        if (!body) return problem(body.error());
        const auto stars = body->integer("rating", 1, kMostStars);
        if (!stars) return problem(stars.error());
        if (!*stars) return problem({Code::kInvalid, "is required: 1 to 5 stars", "rating"});
        auto review = body->text("review", kMaxTextBytes);
        if (!review) return problem(review.error());
        const auto key = event_key(request);
        if (!key) return problem(key.error());
        const UserMovie of{person.value, movie.number};
        const bool again = find_rated(surface, of).rating.has_value();
        return act(surface.deps,
                   rating_event(of, movie, static_cast<std::int32_t>(**stars) * 100,
                                review->value_or(std::string())),
                   *key,
                   [surface, of, again] { return rating_reply(surface, of, again ? 200 : 201); });
      });
}

// Score or review of one's own: what is not given stays, but PUT needs the score.
Answer change_rating(const Request& request, const MovieSurface& surface) {
  const auto of = UserMovie::of(number_param(request).value_or(0));
  if (!request.caller.is(std::to_string(of.user))) {
    return problem({Code::kForbidden, "only who rated may change a rating", {}});
  }
  const auto found = find_rated(surface, of);
  if (!found.rating) return no_rating();
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  const auto stars = body->integer("rating", 1, kMostStars);
  if (!stars) return problem(stars.error());
  if (!*stars && request.method == "PUT") {
    return problem({Code::kInvalid, "is required: 1 to 5 stars", "rating"});
  }
  const auto review = body->text("review", kMaxTextBytes);
  if (!review) return problem(review.error());
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  const auto centi = *stars ? static_cast<std::int32_t>(**stars) * 100 : found.rating->centi;
  const bool keeps_words = !*review && request.method == "PATCH";
  return act(surface.deps,
             rating_event(of, *found.movie, centi,
                          keeps_words ? review_of(surface.deps, *found.rating)
                                      : review->value_or(std::string())),
             *key, [surface, of] { return rating_reply(surface, of, 200); });
}

// The watch stays.
Answer delete_rating(const Request& request, const MovieSurface& surface) {
  const auto of = UserMovie::of(number_param(request).value_or(0));
  if (!request.caller.admin() && !request.caller.is(std::to_string(of.user))) {
    return problem({Code::kForbidden, "only who rated, and admins, may remove a rating", {}});
  }
  const auto found = find_rated(surface, of);
  if (!found.rating) return no_rating();
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  Event event;
  event.type = "unrate";
  event.user = user_of(AccountId(of.user));
  event.item = found.movie->item->item.id;
  return act(surface.deps, std::move(event), *key, [] { return no_content(); });
}

}  // namespace

std::vector<Route> rating_routes(const MovieSurface& surface) {
  return {
      {"POST", "/api/movies/{id}/rate/", Policy::kUser, on_surface(surface, rate)},
      {"GET", "/api/movies/{id}/ratings/", Policy::kPublic, on_surface(surface, ratings_of_movie)},
      {"GET", "/api/ratings/", Policy::kPublic, on_visible(surface, list_ratings)},
      {"GET", "/api/ratings/{id}/", Policy::kPublic, on_visible(surface, get_rating)},
      {"PUT", "/api/ratings/{id}/", Policy::kUser, on_surface(surface, change_rating)},
      {"PATCH", "/api/ratings/{id}/", Policy::kUser, on_surface(surface, change_rating)},
      {"DELETE", "/api/ratings/{id}/", Policy::kUser, on_surface(surface, delete_rating)},
  };
}

}  // namespace millrace::serving
