#include "serving/surfaces/movie_lists.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "processors/rankers/list.h"
#include "schemas/genre.h"
#include "serving/surfaces/body_memo.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_search.h"
#include "serving/surfaces/pages.h"

namespace millrace::serving {
namespace {

constexpr int kMaxAge = 900;  // seconds, of the rankings
constexpr std::size_t kRecommended = 20;
constexpr std::int64_t kMemoMs = 600'000;
constexpr std::size_t kMemoBytes = 8 * 1024 * 1024;

// ---- all movies

Reply list_movies(const Request& request, const MovieSurface& surface) {
  const auto genres = surface.genres();
  const auto page = page_query(request);
  if (!page) return problem(page.error());
  const auto query = movie_query(request, *genres);
  if (!query) return problem(query.error());
  const auto read = surface.deps.engine->read({});
  if (!read) return problem(read.error());
  const auto movies = surface.index->of(*read->catalog);
  const auto found = find_movies(*movies, *query, surface.deps.engine->names(),
                                 [&](state::ItemIndex item) { return read->counts(item); });
  auto reply =
      page_reply(request, surface.deps, *page, found.size(), [&](JsonWriter& out, std::size_t at) {
        const Movie& movie = *found[at];
        append_movie(out, movie, *genres, read->counts(movie.item->index));
      });
  return reply.status == 200 ? personal(std::move(reply)) : reply;
}

Reply movie_reply(const MovieSurface& surface, const Movie& movie) {
  const auto read = surface.deps.engine->read({});
  if (!read) return problem(read.error());
  std::string body;
  JsonWriter out(body);
  append_movie(out, movie, *surface.genres(), read->counts(movie.item->index));
  return personal(json_reply(std::move(body)));
}

Answer get_movie(const Request& request, const MovieSurface& surface) {
  return with_movie(request, surface,
                    [surface](const Movie& movie) { return movie_reply(surface, movie); });
}

// ---- rankings

struct Ranking {
  const char* pattern;
  const char* algorithm;
  processors::Metric metric;
};
constexpr Ranking kRankings[] = {
    {"/api/movies/popular/", "popular", processors::Metric::kPopular},
    {"/api/movies/top-rated/", "top_rated", processors::Metric::kTopRated},
    {"/api/movies/most-watched/", "most_watched", processors::Metric::kMostWatched},
};

// The movies of ranked items, in their order.
std::vector<const Movie*> movies_of(const std::vector<processors::Scored>& ranked,
                                    const processors::ReadState& read, const Movies& movies) {
  std::vector<const Movie*> out;
  for (const auto& scored : ranked) {
    const auto* item = read.catalog->find(scored.item);
    const Movie* movie = item == nullptr ? nullptr : find_movie(movies, item->natural);
    if (movie != nullptr) out.push_back(movie);
  }
  return out;
}

processors::Query movies_query(const MovieSurface& surface, std::size_t limit) {
  processors::Query query;
  query.kind = kMovieKind;
  query.limit = limit;
  query.now = surface.deps.clock->now();
  return query;
}

std::size_t size_of(const Ranking& ranking, const processors::ReadState& read) {
  const auto kind = read.names->kinds.find(kMovieKind);
  return kind ? read.lists->list(ranking.metric, *kind).size() : 0;
}

Reply get_ranking(const Request& request, const MovieSurface& surface, const Ranking& ranking) {
  const auto page = page_query(request);
  if (!page) return problem(page.error());
  const auto read = surface.deps.engine->read({});
  if (!read) return problem(read.error());
  const auto count = size_of(ranking, *read);
  const auto query = movies_query(surface, std::min(count, page->first() + page->size));
  const auto ranked = processors::find_ranker(ranking.algorithm)->rank(query, *read);
  const auto movies = surface.index->of(*read->catalog);
  const auto shown = movies_of(ranked.items, *read, *movies);
  const auto genres = surface.genres();
  auto reply =
      page_reply(request, surface.deps, *page, count, [&](JsonWriter& out, std::size_t at) {
        if (at >= shown.size()) return;
        append_movie(out, *shown[at], *genres, read->counts(shown[at]->item->index));
      });
  return reply.status == 200 ? cacheable(std::move(reply), request, kMaxAge) : reply;
}

// ---- for one person

Reply recommend(const Request& request, const MovieSurface& surface, AccountId person) {
  auto query = movies_query(surface, kRecommended);
  query.user = user_of(person);
  const auto read = surface.deps.engine->read(query.user.value);
  if (!read) return problem(read.error());
  const auto ranked = processors::find_ranker("genre_weighted")->rank(query, *read);
  const auto movies = surface.index->of(*read->catalog);
  const auto shown = movies_of(ranked.items, *read, *movies);
  const auto genres = surface.genres();
  auto reply = page_reply(
      request, surface.deps, {1, kRecommended}, shown.size(), [&](JsonWriter& out, std::size_t at) {
        append_movie(out, *shown[at], *genres, read->counts(shown[at]->item->index));
      });
  return reply;
}

// Kept for each person until anything that is visible changes, and no longer than the seed says.
Reply get_recommended(const Request& request, const MovieSurface& surface, BodyMemo& memo) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  const auto span = surface.deps.clock->now() / kMemoMs;
  Reply reply;
  const auto kept = memo.get(std::to_string(person->value), state_version(surface.deps, span),
                             [&]() -> std::optional<Rendered> {
                               reply = recommend(request, surface, *person);
                               if (reply.status != 200) return std::nullopt;
                               return Rendered{reply.body, etag_of(reply.body)};
                             });
  return kept == nullptr ? reply : personal(json_reply(kept->body), kept->etag);
}

}  // namespace

std::vector<Route> movie_list_routes(const MovieSurface& surface) {
  const auto memo = std::make_shared<BodyMemo>(kMemoBytes, surface.deps.metrics);
  const auto recommended = [memo](const Request& request, const MovieSurface& on) {
    return get_recommended(request, on, *memo);
  };
  std::vector<Route> routes = {
      {"GET", "/api/movies/", Policy::kPublic, on_visible(surface, list_movies)},
      {"GET", "/api/movies/recommended/", Policy::kUser, on_visible(surface, recommended)},
      {"GET", "/api/movies/{id}/", Policy::kPublic, on_surface(surface, get_movie)},
  };
  for (const Ranking& ranking : kRankings) {
    routes.push_back(
        {"GET", ranking.pattern, Policy::kPublic,
         on_visible(surface, [&ranking](const Request& request, const MovieSurface& on) {
           return get_ranking(request, on, ranking);
         })});
  }
  return routes;
}

}  // namespace millrace::serving
