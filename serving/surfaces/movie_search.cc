#include "serving/surfaces/movie_search.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <tuple>
#include <utility>

#include "serving/surfaces/catalog_search.h"
#include "serving/surfaces/common.h"
#include "state/fold_text.h"

namespace millrace::serving {
namespace {

struct NamedOrder {
  std::string_view name;
  MovieOrder order;
};
constexpr std::array<NamedOrder, 6> kOrders = {{{"id", MovieOrder::kId},
                                                {"title", MovieOrder::kTitle},
                                                {"release_year", MovieOrder::kYear},
                                                {"average_rating", MovieOrder::kRating},
                                                {"watch_count", MovieOrder::kWatched},
                                                {"popularity", MovieOrder::kPopularity}}};

Result<std::optional<double>> stars_param(const Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::nullopt;
  double stars = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), stars);
  if (error != std::errc{} || end != text->data() + text->size() || !(stars >= 0 && stars <= 5)) {
    return fail(Code::kInvalid, "must be a number from 0 to 5", std::string(name));
  }
  return stars;
}

Status read_order(const Request& request, MovieQuery& query) {
  auto text = request.query_value("ordering");
  if (!text) return {};
  query.descending = text->starts_with('-');
  if (query.descending) text->remove_prefix(1);
  for (const auto& known : kOrders) {
    if (known.name == *text) query.order = known.order;
  }
  if (query.order) return {};
  return fail(Code::kInvalid,
              "must be id, title, release_year, average_rating, watch_count or popularity, with - "
              "before it for the other way round",
              "ordering");
}

// The words of a search; those that read as a year may stand for it.
class Words {
 public:
  explicit Words(const std::string& folded) : folded_(folded), words_(words_of(folded)) {
    for (const auto word : words_) {
      int year = -1;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), year);
      years_.push_back(error == std::errc{} && end == word.data() + word.size() ? year : -1);
    }
  }
  bool empty() const { return words_.empty(); }

  // How well a movie fits; nothing: not at all.
  std::optional<char> fit(const Movie& movie) const {
    const std::string_view title = movie.item->folded_title;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (!begins_a_word(title, words_[i]) && movie.year != years_[i]) return std::nullopt;
    }
    if (title == folded_) return '0';
    return title.starts_with(folded_) ? '1' : '2';
  }

 private:
  const std::string& folded_;
  const std::vector<std::string_view> words_;  // of folded_
  std::vector<int> years_;                     // -1: the word is no number
};

// What a movie is ordered by, besides its id.
struct Row {
  const Movie* movie = nullptr;
  double number = 0;
  std::string_view text;
};

Row row_of(const Movie& movie, char how, const MovieQuery& query,
           const std::function<state::ItemCounts(state::ItemIndex)>& counts) {
  const auto of = [&] { return counts(movie.item->index); };
  switch (query.order.value_or(MovieOrder::kId)) {
    case MovieOrder::kId: return {&movie, query.order ? 0.0 : how - '0', {}};
    case MovieOrder::kTitle: return {&movie, 0, movie.item->folded_title};
    case MovieOrder::kYear: return {&movie, static_cast<double>(movie.year.value_or(0)), {}};
    case MovieOrder::kRating: return {&movie, of().average_rating(), {}};
    case MovieOrder::kWatched: return {&movie, static_cast<double>(of().watchers), {}};
    case MovieOrder::kPopularity: return {&movie, of().popularity(), {}};
  }
  return {&movie, 0, {}};
}

}  // namespace

Result<MovieQuery> movie_query(const Request& request, const state::GenresView& genres) {
  MovieQuery query;
  MILLRACE_TRY(const std::string words, name_param(request, "search"));
  query.search = state::fold_text(words);
  MILLRACE_TRY(const std::string genre, name_param(request, "genre"));
  if (!genre.empty()) {
    const auto number = state::natural_of(":" + genre);
    const auto* name = genres.name(GenreId(number));
    query.genre = name != nullptr ? *name : number == UINT64_MAX ? genre : std::string();
  }
  if (request.query_value("year")) {
    MILLRACE_TRY(query.year, int_param(request, "year", 0, 1, 9'999));
  }
  MILLRACE_TRY(query.min_rating, stars_param(request, "min_rating"));
  MILLRACE_TRY(query.max_rating, stars_param(request, "max_rating"));
  MILLRACE_CHECK(read_order(request, query));
  return query;
}

std::vector<const Movie*> find_movies(
    const Movies& movies, const MovieQuery& query, const state::CatalogNames& names,
    const std::function<state::ItemCounts(state::ItemIndex)>& counts) {
  const Words words(query.search);
  std::optional<std::uint32_t> category;
  if (query.genre) {
    category = names.categories.find(*query.genre);
    if (!category) return {};
  }
  const auto rated_well = [&](const Movie& movie) {
    if (!query.min_rating && !query.max_rating) return true;
    const auto of = counts(movie.item->index);
    const double stars = of.average_rating();
    return of.raters > 0 && stars >= query.min_rating.value_or(0) &&
           stars <= query.max_rating.value_or(5);
  };
  std::vector<Row> rows;
  for (const Movie& movie : movies) {
    if (query.year && movie.year != query.year) continue;
    const auto& its = movie.item->categories;
    if (category && std::find(its.begin(), its.end(), *category) == its.end()) continue;
    const auto how = words.empty() ? std::optional('0') : words.fit(movie);
    if (!how || !rated_well(movie)) continue;
    rows.push_back(row_of(movie, *how, query, counts));
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const auto less = std::tie(a.number, a.text) < std::tie(b.number, b.text);
    return query.descending ? std::tie(b.number, b.text) < std::tie(a.number, a.text) : less;
  });
  if (query.descending && query.order == MovieOrder::kId) std::reverse(rows.begin(), rows.end());
  std::vector<const Movie*> found;
  found.reserve(rows.size());
  for (const Row& row : rows) found.push_back(row.movie);
  return found;
}

}  // namespace millrace::serving
