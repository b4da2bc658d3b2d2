#include "ingest/importers/movielens_films.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "ingest/importers/movielens_table.h"
#include "schemas/item_json.h"
#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kTags = 20;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

// A year of the cinema, in four digits.
std::optional<int> year_of(std::string_view text) {
  int year = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), year);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() != 4) return {};
  return year >= 1870 && year <= 2200 ? std::optional(year) : std::nullopt;
}

struct Film {
  std::string id;  // of MovieLens
  std::string title;
  std::optional<int> year;
  std::vector<std::string> genres;
  std::vector<std::string> tags;
  std::string imdb_id;
  std::string tmdb_id;
};

// "Heat (1995)" is the title Heat of the year 1995; "(2006-2007)" and the like stay in the title.
void take_year_from_title(Film& film) {
  const std::string_view title = trimmed(film.title);
  if (title.size() > 7 && title.back() == ')' && title[title.size() - 6] == '(') {
    film.year = year_of(title.substr(title.size() - 5, 4));
  }
  const std::size_t rest = film.year ? title.size() - 6 : title.size();
  film.title = std::string(trimmed(title.substr(0, rest)));
}

std::string attributes_of(const Film& film) {
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  if (film.year) out.member("release_year", *film.year);
  if (!film.imdb_id.empty()) out.member("imdb_id", film.imdb_id);
  if (!film.tmdb_id.empty()) out.member("tmdb_id", film.tmdb_id);
  out.end_object();
  return json == "{}" ? std::string() : json;
}

Result<std::string> json_of(Film film) {
  MILLRACE_CHECK(check_id("movie:" + film.id, "id"));
  if (film.id.empty()) return fail(Code::kInvalid, "must not be empty", "id");
  Item item;
  item.id = ItemId("movie:" + film.id);
  item.kind = "movie";
  if (film.year) {
    item.published = parse_rfc3339(std::to_string(std::max(*film.year, 1970)) + "-01-01T00:00:00Z");
  }
  item.attributes = attributes_of(film);
  item.title = std::move(film.title);
  item.categories = std::move(film.genres);
  item.tags = std::move(film.tags);
  std::string json;
  JsonWriter out(json);
  append_item_json(out, item);
  return json;
}

// Reads a whole file of side information; what is wrong in it is told before the films.
struct SideReader {
  std::deque<ImportRow>& refused;

  template <class Use>
  Status read(const std::string& path, const std::vector<std::string>& columns, Use use) {
    if (path.empty()) return {};
    MILLRACE_TRY(auto table, MovielensTable::open(path, {}, columns));
    while (auto row = table.next()) {
      if (row->cells.has_value()) {
        use(*row->cells);
      } else {
        refused.push_back(table.refused(*row));
      }
    }
    return {};
  }
};

// How often each film was given each tag.
class TagCounts {
 public:
  void add(const std::string& film, std::string tag) {
    tag = std::string(trimmed(tag));
    std::transform(tag.begin(), tag.end(), tag.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (!tag.empty()) ++counts_[film][tag];
  }

  // The most frequent first, equals by the alphabet.
  std::vector<std::string> top(const std::string& film) const {
    std::vector<std::string> names;
    const auto found = counts_.find(film);
    if (found == counts_.end()) return names;
    std::vector<std::pair<std::string, int>> all(found->second.begin(), found->second.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (auto& [name, count] : all) {
      if (names.size() == kTags) break;
      names.push_back(std::move(name));
    }
    return names;
  }

 private:
  std::unordered_map<std::string, std::map<std::string, int>> counts_;
};

class GrouplensReader final : public ImportReader {
 public:
  explicit GrouplensReader(MovielensTable movies) : movies_(std::move(movies)) {}

  Status read_sides(const GrouplensFilms& files) {
    SideReader side{refused_};
    MILLRACE_CHECK(side.read(files.tags, {"movieId", "tag"}, [this](std::vector<std::string>& row) {
      tags_.add(row[0], std::move(row[1]));
    }));
    return side.read(files.links, {"movieId", "imdbId", "tmdbId"},
                     [this](std::vector<std::string>& row) {
                       links_[row[0]] = {std::move(row[1]), std::move(row[2])};
                     });
  }

  std::optional<ImportRow> next() override {
    if (!refused_.empty()) {
      ImportRow row = std::move(refused_.front());
      refused_.pop_front();
      return row;
    }
    auto row = movies_.next();
    if (!row) return std::nullopt;
    if (!row->cells.has_value()) return movies_.refused(*row);
    return ImportRow{movies_.name(), row->line, json_of(film_of(*row->cells))};
  }

  double progress() const override { return movies_.progress(); }

 private:
  Film film_of(std::vector<std::string>& cells) const {
    Film film{std::move(cells[0]), std::move(cells[1]), {}, {}, {}, {}, {}};
    take_year_from_title(film);
    if (cells[2] != "(no genres listed)") film.genres = split(cells[2], '|');
    film.tags = tags_.top(film.id);
    const auto links = links_.find(film.id);
    if (links != links_.end()) {
      if (!links->second.first.empty()) film.imdb_id = "tt" + links->second.first;
      film.tmdb_id = links->second.second;
    }
    return film;
  }

  MovielensTable movies_;
  std::deque<ImportRow> refused_;
  TagCounts tags_;
  std::unordered_map<std::string, std::pair<std::string, std::string>> links_;
};

class RecboleReader final : public ImportReader {
 public:
  explicit RecboleReader(MovielensTable items) : items_(std::move(items)) {}

  std::optional<ImportRow> next() override {
    auto row = items_.next();
    if (!row) return std::nullopt;
    if (!row->cells.has_value()) return items_.refused(*row);
    auto& cells = *row->cells;
    Film film{std::move(cells[0]),
              std::move(cells[1]),
              year_of(cells[2]),
              split(cells[3], ' '),
              {},
              {},
              {}};
    std::erase(film.genres, "unknown");
    return ImportRow{items_.name(), row->line, json_of(std::move(film))};
  }

  double progress() const override { return items_.progress(); }

 private:
  MovielensTable items_;
};

}  // namespace

Result<std::unique_ptr<ImportReader>> read_grouplens_films(const GrouplensFilms& files) {
  MILLRACE_TRY(auto movies, MovielensTable::open(files.movies, {}, {"movieId", "title", "genres"}));
  auto reader = std::make_unique<GrouplensReader>(std::move(movies));
  MILLRACE_CHECK(reader->read_sides(files));
  return reader;
}

Result<std::unique_ptr<ImportReader>> read_recbole_films(const std::string& item_file) {
  CsvOptions options;
  options.delimiter = '\t';
  options.quotes = false;
  MILLRACE_TRY(auto items,
               MovielensTable::open(item_file, options,
                                    {"item_id", "movie_title", "release_year", "class"}));
  return std::make_unique<RecboleReader>(std::move(items));
}

}  // namespace millrace::ingest
