#include "serving/surfaces/movie_index.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "schemas/genre.h"
#include "schemas/json_value.h"

namespace millrace::serving {
namespace {

Movie movie_of(std::shared_ptr<const state::CatalogItem> item) {
  Movie movie;
  movie.number = item->natural;
  const auto json = parse_json(item->item.attributes);
  if (json) {
    if (const Json* year = json->find("release_year")) {
      int number = 0;
      const auto& text = year->text;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size()) movie.year = number;
    }
    if (const Json* description = json->find("description")) movie.description = description->text;
  }
  movie.item = std::move(item);
  return movie;
}

}  // namespace

const Movie* find_movie(const Movies& movies, std::uint64_t number) {
  const auto found =
      std::lower_bound(movies.begin(), movies.end(), number,
                       [](const Movie& movie, std::uint64_t n) { return movie.number < n; });
  return found == movies.end() || found->number != number ? nullptr : &*found;
}

std::shared_ptr<const Movies> MovieIndex::of(const state::CatalogView& catalog) {
  const std::lock_guard lock(mutex_);
  if (movies_ && changed_ >= catalog.items_changed()) return movies_;
  auto made = std::make_shared<Movies>();
  catalog.for_each(0, [&](const state::CatalogItem& item) {
    if (item.item.kind != kMovieKind || item.item.hidden || item.natural == UINT64_MAX ||
        !item.item.id.value.starts_with("movie:")) {
      return true;
    }
    const Movie* old = movies_ ? find_movie(*movies_, item.natural) : nullptr;
    auto shared = catalog.share(item.index);
    made->push_back(old != nullptr && old->item == shared ? *old : movie_of(std::move(shared)));
    return true;
  });
  std::sort(made->begin(), made->end(),
            [](const Movie& a, const Movie& b) { return a.number < b.number; });
  movies_ = std::move(made);
  changed_ = catalog.items_changed();
  return movies_;
}

}  // namespace millrace::serving
