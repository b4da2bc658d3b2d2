#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schemas/ids.h"

namespace millrace::state {

// A view: what a person's facts, joined with the catalog, say of categories and tags. Names are
// interned (Catalog's name tables), vectors ascending by name index, no zero rows.
struct NameWeight {
  std::uint32_t name = 0;
  std::int32_t liked = 0;  // of the films rated 3 or better, how many carry it (seed 001)
  std::int32_t interest =
      0;  // items liked, saved, or viewed as a product, how many carry it (seed 000)
  friend bool operator==(const NameWeight&, const NameWeight&) = default;
};

struct Profile {
  Offset catalog_offset = 0;     // the catalog it was joined with
  std::uint64_t events = 0;      // Person::events it was made from
  std::uint32_t liked = 0;       // items rated 3 or better
  std::uint32_t unresolved = 0;  // items that would count but were not in that catalog
  std::vector<NameWeight> categories;
  std::vector<NameWeight> tags;  // `liked` unused
  friend bool operator==(const Profile&, const Profile&) = default;
};

}  // namespace millrace::state
