#pragma once
#include <cstdint>
#include <string>

#include "base/strong_id.h"
#include "schemas/item.h"

namespace millrace {

// Genres are the categories of items of kind `movie`, with numbers that the catalog mints, from 1.
using GenreId = StrongId<std::uint64_t, struct GenreIdTag>;
inline constexpr const char* kMovieKind = "movie";

// ---- Changes in the catalog's log.

// A new genre, or another name for one, which its movies follow.
struct PutGenre {
  GenreId id{};  // 0: a new one
  std::string name;
  friend bool operator==(const PutGenre&, const PutGenre&) = default;
};

// The genre leaves its movies, too.
struct DeleteGenre {
  GenreId id;
  friend bool operator==(const DeleteGenre&, const DeleteGenre&) = default;
};

// An item that has no id yet: it becomes `kind:number`, above every number in use.
struct MintItem {
  Item item;
  friend bool operator==(const MintItem&, const MintItem&) = default;
};

}  // namespace millrace
