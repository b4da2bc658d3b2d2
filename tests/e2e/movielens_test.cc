// The real data set through the real binary: imported into a running server, everything that is
// asked back must equal what a plain computation from the CSV files alone says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilms = 9742;
constexpr std::size_t kRatings = 100'836;
constexpr std::size_t kWanted = 20;

// "" where the data set is not at hand.
std::string data_folder() {
  std::vector<fs::path> places;
  if (const char* shared = std::getenv("MILLRACE_SHARED")) places.emplace_back(shared);
  places.push_back(fs::path(MILLRACE_SOURCE_DIR) / "../shared");
  places.push_back(fs::path(MILLRACE_SOURCE_DIR) / "../../shared");
  for (const auto& place : places) {
    const auto folder = place / "data" / "ml-latest-small";
    if (fs::exists(folder / "ratings.csv")) return folder.string();
  }
  return "";
}

// ---- the reference: CSV files and the seed's words, nothing of Millrace

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

std::vector<std::vector<std::string>> rows_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(in, line);  // the names of the columns
  while (std::getline(in, line)) rows.push_back(cells_of(line));
  return rows;
}

struct Film {
  int number = 0;
  std::set<std::string> genres;
  std::map<int, double> ratings;  // by user

  double average() const {
    double sum = 0;
    for (const auto& [user, stars] : ratings) sum += stars;
    return ratings.empty() ? 0 : sum / static_cast<double>(ratings.size());
  }
  double watchers() const { return static_cast<double>(ratings.size()); }
  double popularity() const { return average() * 0.7 + watchers() * 0.3; }
  std::string id() const { return "movie:" + std::to_string(number); }
};

struct Reference {
  std::map<int, Film> films;
  std::size_t ratings = 0;

  explicit Reference(const std::string& folder) {
    for (const auto& row : rows_of(folder + "/movies.csv")) {
      Film film;
      film.number = std::stoi(row[0]);
      std::string genre;
      for (const char c : row[2] + "|") {
        if (c != '|') {
          genre += c;
        } else {
          if (genre != "(no genres listed)") film.genres.insert(genre);
          genre.clear();
        }
      }
      films[film.number] = film;
    }
    for (const auto& row : rows_of(folder + "/ratings.csv")) {
      films.at(std::stoi(row[1])).ratings[std::stoi(row[0])] = std::stod(row[2]);
      ++ratings;
    }
  }

  // All films for which `key` gives something, highest first, equals by their number.
  template <class Key>
  std::vector<const Film*> sorted(Key key) const {
    using Row = std::pair<decltype(key(films.begin()->second)), const Film*>;
    std::vector<Row> rows;
    for (const auto& [number, film] : films) rows.emplace_back(key(film), &film);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.first > b.first; });
    std::vector<const Film*> out;
    for (const auto& row : rows) out.push_back(row.second);
    return out;
  }
  std::vector<const Film*> by_popularity() const {
    return sorted([](const Film& film) { return film.popularity(); });
  }

  // The seed's seven steps.
  std::vector<std::string> recommended(int user) const {
    std::set<const Film*> seen;
    std::vector<const Film*> liked;
    for (const auto& [number, film] : films) {
      const auto rating = film.ratings.find(user);
      if (rating == film.ratings.end()) continue;
      seen.insert(&film);
      if (rating->second >= 3) liked.push_back(&film);
    }
    std::map<std::string, int> genres;
    for (const auto* film : liked) {
      for (const auto& genre : film->genres) ++genres[genre];
    }
    const auto popular = by_popularity();
    std::set<const Film*> merged;
    for (const auto& [genre, films_in_it] : genres) {
      const double weight = static_cast<double>(films_in_it) / static_cast<double>(liked.size());
      auto left = static_cast<int>(std::floor(static_cast<double>(kWanted) * weight + 0.5));
      for (const auto* film : popular) {
        if (left == 0) break;
        if (seen.contains(film) || !film->genres.contains(genre)) continue;
        merged.insert(film);
        --left;
      }
    }
    cut(popular, merged);
    fill(popular, merged, [&](const Film& film) {
      return !seen.contains(&film) &&
             std::any_of(film.genres.begin(), film.genres.end(),
                         [&](const auto& genre) { return genres.contains(genre); });
    });
    fill(popular, merged, [&](const Film& film) { return !seen.contains(&film); });
    std::vector<std::string> ids;
    for (const auto* film : popular) {
      if (merged.contains(film)) ids.push_back(film->id());
    }
    return ids;
  }

  static void cut(const std::vector<const Film*>& popular, std::set<const Film*>& films) {
    for (auto worst = popular.rbegin(); films.size() > kWanted; ++worst) films.erase(*worst);
  }
  template <class Fits>
  static void fill(const std::vector<const Film*>& popular, std::set<const Film*>& films,
                   Fits fits) {
    for (const auto* film : popular) {
      if (films.size() >= kWanted) return;
      if (fits(*film)) films.insert(film);
    }
  }
};

// ---- the server's side

struct Imported {
  int exit_code = 0;
  double items_created, items_replaced, accepted, duplicates, rejected;
};

Imported import_into(std::uint16_t port, const std::string& folder, const TempDir& directory) {
  const auto result = run_command({MILLRACE_BINARY, "import", "movielens", folder, "--url",
                                   "http://127.0.0.1:" + std::to_string(port), "--format", "json",
                                   "--resume-file", (directory.path() / "resume").string()});
  const Answer totals(result.out);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(totals["finished"].truth());
  return {result.exit_code,
          totals["items_created"].number(),
          totals["items_replaced"].number(),
          totals["events_accepted"].number(),
          totals["duplicates"].number(),
          totals["rejected"].number()};
}

// All pages of a listing, by its cursors: their bodies, whole.
std::vector<std::string> pages(HttpClient& http, const std::string& target) {
  std::vector<std::string> bodies;
  std::string cursor;
  do {
    const auto reply = http.get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
    const Answer page(reply);
    bodies.push_back(reply.body);
    cursor = page.has("next_cursor") ? page["next_cursor"].text() : "";
  } while (!cursor.empty());
  return bodies;
}

std::vector<std::string> ids_of(const std::vector<std::string>& bodies) {
  std::vector<std::string> ids;
  for (const auto& body : bodies) {
    for (const auto& item : Answer(body)["items"].elements()) ids.push_back(item["id"].text());
  }
  return ids;
}

std::vector<std::string> ids_of(const std::vector<const Film*>& films) {
  std::vector<std::string> ids;
  for (const auto* film : films) ids.push_back(film->id());
  return ids;
}

void expect_counts(const std::vector<std::string>& bodies, const Reference& reference) {
  std::size_t items = 0;
  std::size_t ratings = 0;
  for (const auto& body : bodies) {
    for (const auto& item : Answer(body)["items"].elements()) {
      const auto id = item["id"].text();
      const auto& film = reference.films.at(std::stoi(id.substr(id.find(':') + 1)));
      EXPECT_EQ(item["rating_count"].number(), film.watchers()) << id;
      EXPECT_EQ(item["watch_count"].number(), film.watchers()) << id;
      EXPECT_EQ(item["average_rating"].is_null(), film.ratings.empty()) << id;
      if (!film.ratings.empty()) {
        EXPECT_NEAR(item["average_rating"].number(), film.average(), 1e-9) << id;
      }
      EXPECT_EQ(item["categories"].elements().size(), film.genres.size()) << id;
      ++items;
      ratings += static_cast<std::size_t>(item["rating_count"].number());
    }
  }
  EXPECT_EQ(items, kFilms);
  EXPECT_EQ(ratings, kRatings);
}

void expect_lists(HttpClient& http, const Reference& reference) {
  EXPECT_EQ(ids_of(pages(http, "/v1/lists/popular?kind=movie&limit=100")),
            ids_of(reference.by_popularity()));
  EXPECT_EQ(ids_of(pages(http, "/v1/lists/most-watched?kind=movie&limit=100")),
            ids_of(reference.sorted(
                [](const Film& film) { return std::pair(film.watchers(), film.average()); })));
  auto rated =
      reference.sorted([](const Film& film) { return std::pair(film.average(), film.watchers()); });
  std::erase_if(rated, [](const Film* film) { return film->average() < 3; });
  EXPECT_EQ(ids_of(pages(http, "/v1/lists/top-rated?kind=movie&limit=100")), ids_of(rated));
}

void expect_recommendations(HttpClient& http, const Reference& reference) {
  for (int user = 1; user <= 571; user += 30) {  // 20 of the 610
    const auto target = "/v1/recommendations/" + std::to_string(user) +
                        "?algorithm=genre_weighted&kind=movie&limit=20&explain=true";
    const Answer answer(http.get(target));
    std::vector<std::string> ids;
    for (const auto& item : answer["items"].elements()) {
      ids.push_back(item["id"].text());
      const auto& film = reference.films.at(std::stoi(ids.back().substr(6)));
      EXPECT_NEAR(item["score"].number(), film.popularity(), 1e-9) << ids.back();
    }
    EXPECT_EQ(ids.size(), kWanted) << user;
    EXPECT_EQ(ids, reference.recommended(user)) << "user " << user;
    EXPECT_EQ(answer["level"].text(), "personal") << user;
    EXPECT_EQ(answer["algorithm"].text(), "genre_weighted") << user;
  }
}

std::vector<std::string> people(HttpClient& http) {
  std::vector<std::string> bodies;
  for (const int user : {1, 2, 99, 414, 610}) {
    const auto path = "/v1/users/" + std::to_string(user);
    bodies.push_back(http.get(path + "/profile").body);
    bodies.push_back(http.get(path + "/history?limit=100").body);
  }
  return bodies;
}

TEST(MovieLens, ImportedOnceOrTwiceTheAnswersEqualAPlainComputation) {
  const auto folder = data_folder();
  if (folder.empty()) GTEST_SKIP() << "no ml-latest-small: name its place by MILLRACE_SHARED";
  const Reference reference(folder);
  ASSERT_EQ(reference.films.size(), kFilms);
  ASSERT_EQ(reference.ratings, kRatings);
  const TempDir directory;
  const ServerProcess server({.binary = MILLRACE_BINARY,
                              .data = (directory.path() / "data").string(),
                              .args = {"--durability", "os", "--log-level", "warn"},
                              .environment = {}});

  const auto first = import_into(server.port(), folder, directory);
  EXPECT_EQ(first.items_created, kFilms);
  EXPECT_EQ(first.accepted, kRatings);
  EXPECT_EQ(first.duplicates, 0);
  EXPECT_EQ(first.rejected, 0);

  HttpClient http(server.port());
  const auto items = pages(http, "/v1/items?kind=movie&limit=100");
  const auto persons = people(http);
  expect_counts(items, reference);
  expect_lists(http, reference);
  expect_recommendations(http, reference);

  const auto second = import_into(server.port(), folder, directory);
  EXPECT_EQ(second.items_created, 0);
  EXPECT_EQ(second.accepted, 0);
  EXPECT_EQ(second.duplicates, kRatings);
  EXPECT_EQ(second.rejected, 0);
  EXPECT_EQ(pages(http, "/v1/items?kind=movie&limit=100"), items);
  EXPECT_EQ(people(http), persons);
  expect_recommendations(http, reference);
}

}  // namespace
}  // namespace millrace
