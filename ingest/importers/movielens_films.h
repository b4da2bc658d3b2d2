#pragma once
#include <memory>
#include <string>

#include "ingest/importers/import_source.h"

namespace millrace::ingest {

// Files of GroupLens' layout; those that are optional are empty when they are not there.
struct GrouplensFilms {
  std::string movies;
  std::string tags;
  std::string links;
};

Result<std::unique_ptr<ImportReader>> read_grouplens_films(const GrouplensFilms& files);
Result<std::unique_ptr<ImportReader>> read_recbole_films(const std::string& item_file);

}  // namespace millrace::ingest
