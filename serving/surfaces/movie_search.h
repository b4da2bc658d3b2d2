#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serving/http/message.h"
#include "serving/surfaces/movie_index.h"
#include "state/genres.h"
#include "state/item_cells.h"

namespace millrace::serving {

enum class MovieOrder { kId, kTitle, kYear, kRating, kWatched, kPopularity };

// What a list of movies asks for.
struct MovieQuery {
  std::string search;  // folded: every word begins a word of the title, or is the year
  std::optional<std::string> genre;  // a category; empty text: one that there is not
  std::optional<std::int64_t> year;
  std::optional<double> min_rating, max_rating;  // stars; movies without ratings have none
  std::optional<MovieOrder> order;               // nothing: how well the title fits, then id
  bool descending = false;
};

// ?search=, genre (id or name), year, min_rating, max_rating, ordering. kInvalid names the
// parameter.
Result<MovieQuery> movie_query(const Request& request, const state::GenresView& genres);

// The movies that fit, in order; equal ones by id. `counts(item)` answers with state::ItemCounts.
std::vector<const Movie*> find_movies(
    const Movies& movies, const MovieQuery& query, const state::CatalogNames& names,
    const std::function<state::ItemCounts(state::ItemIndex)>& counts);

}  // namespace millrace::serving
