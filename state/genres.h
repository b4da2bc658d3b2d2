#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/genre.h"
#include "state/catalog_numbers.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// The genres of movies at one offset of the catalog: categories that have numbers. Immutable.
class GenresView {
 public:
  // nullptr: there is none.
  const std::string* name(GenreId id) const;
  std::optional<GenreId> find(std::string_view name) const;
  const std::map<GenreId, std::string>& all() const { return names_; }  // ascending by id

 private:
  friend class Genres;
  std::map<GenreId, std::string> names_;
  std::map<std::string, GenreId, std::less<>> ids_;
};

// Applies what the catalog's log says of genres. One thread.
class Genres {
 public:
  Genres(FactRows& rows, CatalogNumbers& numbers) : rows_(rows), numbers_(numbers) {}

  // A genre with a new number, or with another name. Names are told apart without case or accents.
  CommandVerdict put(const PutGenre& put);
  CommandVerdict erase(GenreId id);
  // A movie has this category: it is a genre from now on.
  void meet(const std::string& name);
  // nullptr: there is none.
  const std::string* name(GenreId id) const { return now_.name(id); }

  std::shared_ptr<const GenresView> view();  // the same one as long as nothing changes
  void restore(std::string_view key, std::string_view row);  // on opening

 private:
  void place(GenreId id, const std::string& name);

  FactRows& rows_;
  CatalogNumbers& numbers_;
  GenresView now_;
  std::shared_ptr<const GenresView> shared_;  // null: something changed since
};

}  // namespace millrace::state
