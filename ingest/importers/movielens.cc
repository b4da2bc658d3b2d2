#include "ingest/importers/movielens.h"

#include <algorithm>
#include <filesystem>

#include "ingest/importers/movielens_films.h"
#include "ingest/importers/movielens_ratings.h"

namespace millrace::ingest {
namespace {

namespace fs = std::filesystem;

std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

// `folder`/`name` if there is such a file, else nothing.
std::string existing(const fs::path& folder, const std::string& name) {
  std::error_code error;
  return fs::is_regular_file(folder / name, error) ? (folder / name).string() : std::string();
}

std::vector<ImportPart> grouplens_parts(const GrouplensFilms& films, const std::string& ratings) {
  std::vector<std::string> film_files{films.movies};
  if (!films.tags.empty()) film_files.push_back(films.tags);
  if (!films.links.empty()) film_files.push_back(films.links);
  return {{name_of(films.movies), ImportKind::kItems, film_files,
           [films] { return read_grouplens_films(films); }},
          {name_of(ratings), ImportKind::kEvents, {ratings}, [ratings] {
             return read_grouplens_ratings(ratings);
           }}};
}

std::vector<ImportPart> recbole_parts(const std::string& items, const std::string& ratings) {
  return {
      {name_of(items), ImportKind::kItems, {items}, [items] { return read_recbole_films(items); }},
      {name_of(ratings), ImportKind::kEvents, {ratings}, [ratings] {
         return read_recbole_ratings(ratings);
       }}};
}

// The first NAME.inter of the folder, by name, that has a NAME.item beside it.
std::string recbole_name(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto& path = entry.path();
    if (path.extension() == ".inter" && !existing(folder, path.stem().string() + ".item").empty()) {
      names.push_back(path.stem().string());
    }
  }
  return names.empty() ? std::string() : *std::min_element(names.begin(), names.end());
}

}  // namespace

Result<std::vector<ImportPart>> movielens_parts(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(Code::kNotFound, folder + " is no folder", "path");
  }
  const std::string movies = existing(folder, "movies.csv");
  const std::string ratings = existing(folder, "ratings.csv");
  if (!movies.empty() && !ratings.empty()) {
    return grouplens_parts({movies, existing(folder, "tags.csv"), existing(folder, "links.csv")},
                           ratings);
  }
  const std::string name = recbole_name(folder);
  if (!name.empty()) {
    return recbole_parts(existing(folder, name + ".item"), existing(folder, name + ".inter"));
  }
  return fail(Code::kNotFound,
              folder +
                  " has neither movies.csv and ratings.csv (GroupLens) nor NAME.item and "
                  "NAME.inter (RecBole)",
              "path");
}

}  // namespace millrace::ingest
