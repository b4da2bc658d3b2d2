#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "state/catalog_view.h"

namespace millrace::serving {

// The movies of a catalog with what lists of them ask for: items of kind `movie` whose ids are
// `movie:number`, and that are not hidden. Immutable.
struct Movie {
  std::shared_ptr<const state::CatalogItem> item;
  std::uint64_t number = 0;
  std::optional<int> year;  // attribute `release_year`
  std::string description;  // attribute
};
using Movies = std::vector<Movie>;  // ascending by number

// nullptr: there is none.
const Movie* find_movie(const Movies& movies, std::uint64_t number);

// Makes Movies of a catalog's views, each once, reading again only what changed. Thread-safe.
class MovieIndex {
 public:
  std::shared_ptr<const Movies> of(const state::CatalogView& catalog);

 private:
  std::mutex mutex_;
  Offset changed_ = -1;  // CatalogView::items_changed that movies_ are of
  std::shared_ptr<const Movies> movies_;
};

}  // namespace millrace::serving
