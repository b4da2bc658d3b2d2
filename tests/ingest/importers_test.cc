#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "ingest/importers/movielens.h"
#include "schemas/event_json.h"
#include "schemas/item_json.h"

namespace millrace::ingest {
namespace {

const std::string kFixtures = MILLRACE_SOURCE_DIR "/tests/ingest/fixtures/";

struct Read {
  std::vector<std::string> good;  // JSON
  std::vector<std::string> bad;   // file:line: field
};

Read read_all(const ImportPart& part) {
  Read read;
  auto reader = part.open();
  if (!reader.has_value()) {
    ADD_FAILURE() << reader.error().detail;
    return read;
  }
  while (auto row = (*reader)->next()) {
    if (row->json.has_value()) {
      read.good.push_back(*row->json);
    } else {
      read.bad.push_back(row->file + ":" + std::to_string(row->line) + ": " +
                         row->json.error().field);
    }
  }
  EXPECT_EQ((*reader)->progress(), 1.0);
  return read;
}

std::vector<ImportPart> parts_of(const std::string& folder) {
  auto parts = movielens_parts(folder);
  EXPECT_TRUE(parts.has_value()) << (parts.has_value() ? "" : parts.error().detail);
  return parts.has_value() ? *parts : std::vector<ImportPart>(2);
}

std::vector<Item> items_of(const std::vector<std::string>& lines) {
  std::vector<Item> items;
  for (const auto& line : lines) {
    const auto item = parse_item(line, std::nullopt);
    EXPECT_TRUE(item.has_value()) << line;
    if (item.has_value()) items.push_back(*item);
  }
  return items;
}

std::vector<Event> events_of(const std::vector<std::string>& lines) {
  std::vector<Event> events;
  for (std::size_t from = 0; from < lines.size(); from += kMaxEvents) {
    std::string body;
    const std::size_t end = std::min(from + kMaxEvents, lines.size());
    for (std::size_t i = from; i < end; ++i) body += lines[i] + "\n";
    auto outcomes = parse_events(body, BodyKind::kNdjson);
    EXPECT_TRUE(outcomes.has_value());
    if (!outcomes.has_value()) continue;
    for (auto& outcome : *outcomes) {
      EXPECT_TRUE(outcome.event.has_value()) << outcome.id;
      if (outcome.event.has_value()) events.push_back(*std::move(outcome.event));
    }
  }
  return events;
}

TEST(MovieLens, GrouplensFilmsBecomeItems) {
  const auto parts = parts_of(kFixtures + "grouplens");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].kind, ImportKind::kItems);
  const Read films = read_all(parts[0]);
  EXPECT_EQ(films.bad, (std::vector<std::string>{"tags.csv:5: row", "movies.csv:7: row"}));
  const auto items = items_of(films.good);
  ASSERT_EQ(items.size(), 5u);
  EXPECT_EQ(items[0].id.value, "movie:1");
  EXPECT_EQ(items[0].kind, "movie");
  EXPECT_EQ(items[0].title, "Toy Story");
  EXPECT_EQ(items[0].categories, (std::vector<std::string>{"Adventure", "Animation"}));
  EXPECT_EQ(items[0].tags, (std::vector<std::string>{"pixar", "funny"}));
  EXPECT_EQ(items[0].published, 788'918'400'000);  // 1995-01-01
  EXPECT_EQ(items[0].attributes, R"({"release_year":1995,"imdb_id":"tt0114709","tmdb_id":"862"})");
  EXPECT_EQ(items[1].title, "American President, The");
  EXPECT_EQ(items[1].attributes, R"({"release_year":1995,"imdb_id":"tt0112346"})");
  EXPECT_EQ(items[2].title, "Babylon 5");
  EXPECT_EQ(items[2].categories, std::vector<std::string>{});
  EXPECT_EQ(items[2].published, std::nullopt);
  EXPECT_EQ(items[3].title, "A \"quoted\" night (2006–2007)");
  EXPECT_EQ(items[4].title, "Metropolis");
  EXPECT_EQ(items[4].attributes, R"({"release_year":1927})");
  EXPECT_EQ(items[4].published, 0);
}

TEST(MovieLens, GrouplensRatingsBecomeEventsInTheOrderOfTheirTimes) {
  const auto parts = parts_of(kFixtures + "grouplens");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1].kind, ImportKind::kEvents);
  const Read ratings = read_all(parts[1]);
  EXPECT_EQ(ratings.bad,
            (std::vector<std::string>{"ratings.csv:4: rating", "ratings.csv:6: user"}));
  const auto events = events_of(ratings.good);
  ASSERT_EQ(events.size(), 3u);
  Event first;
  first.source = "import:movielens";
  first.id = "2:1:100";
  first.type = "rate";
  first.user = UserId("2");
  first.item = ItemId("movie:1");
  first.time = 100'000;
  first.value_centi = 300;
  EXPECT_EQ(events[0], first);
  EXPECT_EQ(events[1].id, "1:5:100");
  EXPECT_EQ(events[2].id, "1:2:200");
  EXPECT_EQ(events[2].value_centi, 450);
}

TEST(MovieLens, RecboleLayout) {
  const auto parts = parts_of(kFixtures + "recbole");
  ASSERT_EQ(parts.size(), 2u);
  const Read films = read_all(parts[0]);
  EXPECT_EQ(films.bad, std::vector<std::string>{});
  const auto items = items_of(films.good);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].title, "Toy Story");
  EXPECT_EQ(items[0].categories, (std::vector<std::string>{"Animation", "Children's", "Comedy"}));
  EXPECT_EQ(items[0].attributes, R"({"release_year":1995})");
  EXPECT_EQ(items[1].categories, std::vector<std::string>{});
  EXPECT_EQ(items[1].attributes, "");
  EXPECT_EQ(items[2].title, "The \"Big\" One");
  const auto events = events_of(read_all(parts[1]).good);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].id, "186:267:881250948");
  EXPECT_EQ(events[0].value_centi, 250);
  EXPECT_EQ(events[1].item.value, "movie:1");
}

TEST(MovieLens, SaysWhatItLookedFor) {
  const auto missing = movielens_parts(kFixtures);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().detail.find("movies.csv"), std::string::npos);
  EXPECT_EQ(movielens_parts(kFixtures + "no-such-folder").error().code, Code::kNotFound);
}

// The real data set, where it is at hand.
TEST(MovieLens, LatestSmallHasNoBadRow) {
  const char* shared = std::getenv("MILLRACE_SHARED");
  const std::string root = shared != nullptr ? shared : MILLRACE_SOURCE_DIR "/../shared";
  const std::string folder = root + "/data/ml-latest-small";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto parts = parts_of(folder);
  ASSERT_EQ(parts.size(), 2u);
  const auto start = std::chrono::steady_clock::now();
  const Read films = read_all(parts[0]);
  const Read ratings = read_all(parts[1]);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("rows_per_second", static_cast<int>(110'578 / seconds));
  EXPECT_EQ(films.good.size(), 9'742u);
  EXPECT_EQ(films.bad, std::vector<std::string>{});
  EXPECT_EQ(ratings.good.size(), 100'836u);
  EXPECT_EQ(ratings.bad, std::vector<std::string>{});
  EXPECT_EQ(items_of(films.good).size(), 9'742u);
  std::set<std::string> ids;
  for (const auto& event : events_of(ratings.good)) ids.insert(event.id);
  EXPECT_EQ(ids.size(), 100'836u);
}

}  // namespace
}  // namespace millrace::ingest
