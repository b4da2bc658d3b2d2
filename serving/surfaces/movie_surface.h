#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "processors/rankers/ranker.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "serving/http/message.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_index.h"
#include "state/genres.h"

namespace millrace::serving {

// What the handlers of movies, ratings, histories and genres share.
struct MovieSurface {
  Deps deps;
  std::shared_ptr<MovieIndex> index;

  std::shared_ptr<const Movies> movies() const { return index->of(*deps.engine->catalog().view()); }
  std::shared_ptr<const state::GenresView> genres() const {
    return deps.engine->catalog().genres();
  }
};

// Routes' handlers, each with a surface of its own: at once, or once the position that the request
// asks for is visible.
template <class F>
Handler on_surface(const MovieSurface& surface, F handler) {
  return [surface, handler](const Request& request) { return handler(request, surface); };
}
template <class F>
Handler on_visible(const MovieSurface& surface, F handler) {
  return [surface, handler](const Request& request) {
    return when_visible(
        request, surface.deps,
        [surface, handler](const Request& seen, const Deps&) { return handler(seen, surface); });
  };
}

// The account that a request is about. kUnauthorized: nobody has logged in; kForbidden: a service.
Result<AccountId> person_of(const Request& request);

// The number that {id} of the path is; nothing when it is none, which stands for no such thing.
std::optional<std::uint64_t> number_param(const Request& request);

// Ratings and history entries are numbered by whose and of what they are: user · 2^22 + movie.
// Those of users or movies with higher numbers have none, and are not listed.
inline constexpr std::uint64_t kMaxMovieNumber = std::uint64_t{1} << 22;
struct UserMovie {
  std::uint64_t user = 0;
  std::uint64_t movie = 0;
  std::uint64_t number() const { return user * kMaxMovieNumber + movie; }
  static UserMovie of(std::uint64_t number) {
    return {number / kMaxMovieNumber, number % kMaxMovieNumber};
  }
};

// One object: id, title, genres, release_year, description and what is counted.
void append_movie(JsonWriter& out, const Movie& movie, const state::GenresView& genres,
                  const state::ItemCounts& counts);

// Runs `next` once `position` is visible, or says 503.
Answer after(const Deps& deps, const Position& position, std::function<Answer()> next);

// `next` with the movie that {id} names, or 404, which is said only behind the end of the catalog.
Answer with_movie(const Request& request, const MovieSurface& surface,
                  std::function<Answer(const Movie&)> next);

// What an answer's counts over all people hold: what this node has applied, or at least all that
// any node had acknowledged when the event was appended.
enum class Sums : std::uint8_t { kHere, kEverywhere };

// Appends one event of a person, waits until it is visible, and then answers with `answer()`.
// `key` names it: sent again it counts once; empty: each one counts. Its source is kApiSource
// unless given.
inline constexpr const char* kApiSource = "/api";
Answer act(const Deps& deps, Event event, const std::string& key, std::function<Reply()> answer,
           Sums sums = Sums::kHere);

// The id of a request's event: its Idempotency-Key, for this path only; empty when there is none.
Result<std::string> event_key(const Request& request);

// An entity tag, and how long an answer may be kept: by everybody for `max_age_s` seconds where it
// is for nobody in particular, else only to be asked for again.
Reply cacheable(Reply reply, const Request& request, int max_age_s);
Reply personal(Reply reply);
Reply personal(Reply reply, const std::string& etag);  // of etag_of() its body
std::string etag_of(std::string_view body);

}  // namespace millrace::serving
