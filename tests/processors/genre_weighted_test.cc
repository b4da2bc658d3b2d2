// Seed 001's algorithm: a test named after each of its steps.
#include "processors/rankers/genre_weighted.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

using genre_weighted::Dealings;
using genre_weighted::Genre;

class GenreWeightedTest : public ::testing::Test {
 protected:
  std::uint32_t genre(const std::string& name) { return *world_.names.categories.find(name); }
  std::uint32_t movies() { return *world_.names.kinds.find("movie"); }
  Dealings dealings(const std::string& user) {
    return genre_weighted::filter_likes(world_.known(user), world_.catalog(), state::kAnyName);
  }
  void watched_by(int people, const std::string& item) {
    for (int i = 0; i < people; ++i) world_.watch("crowd" + std::to_string(i), item);
  }
  // `count` films of a genre, movie:from …, the first the most popular.
  void films(const std::string& name, int from, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "movie:" + std::to_string(from + i);
      world_.put(id, {name});
      watched_by(count - i, id);
    }
  }
  std::vector<std::string> ids(const std::vector<RankedEntry>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) out.push_back(world_.id(entry.item));
    return out;
  }
  Ranked rank(const std::string& user, Query query = {}) {
    query.user = UserId(user);
    query.now = world_.now;
    return rank_genre_weighted(query, world_.state(user));
  }
  RankerWorld world_;
};

TEST_F(GenreWeightedTest, Step1FilteringLikesKeepsThreeStarsOrBetter) {
  films("Drama", 1, 4);
  world_.rate("u", "movie:1", 3);
  world_.rate("u", "movie:2", 2.5);
  world_.rate("u", "movie:3", 5);
  world_.watch("u", "movie:4");
  const Dealings got = dealings("u");
  EXPECT_EQ(got.liked, (std::vector{world_.index("movie:1"), world_.index("movie:3")}));
  EXPECT_EQ(got.seen.size(), 4u);
  EXPECT_EQ(got.kinds, std::vector{movies()});
}

TEST_F(GenreWeightedTest, Step2GenreAnalysisLooksAtEveryGenreOfTheLikedFilms) {
  world_.put("movie:1", {"Drama", "War"});
  world_.put("movie:2", {"War"});
  const std::vector liked{world_.index("movie:1"), world_.index("movie:2")};
  EXPECT_EQ(genre_weighted::genres_of(liked, world_.catalog()),
            (std::vector<Genre>{{genre("Drama"), 1}, {genre("War"), 2}}));
}

TEST_F(GenreWeightedTest, Step3CalculatingWeightsAsShareOfLikedFilms) {
  EXPECT_DOUBLE_EQ(genre_weighted::weight_of({0, 5}, 10), 0.5);
  EXPECT_DOUBLE_EQ(genre_weighted::weight_of({0, 3}, 10), 0.3);
  EXPECT_DOUBLE_EQ(genre_weighted::weight_of({0, 10}, 10), 1.0);
}

TEST_F(GenreWeightedTest, Step4DeterminingQuantityRoundsHalvesUp) {
  EXPECT_EQ(genre_weighted::quantity_of({0, 5}, 10, 20), 10u);
  EXPECT_EQ(genre_weighted::quantity_of({0, 3}, 10, 20), 6u);
  EXPECT_EQ(genre_weighted::quantity_of({0, 2}, 10, 20), 4u);
  EXPECT_EQ(genre_weighted::quantity_of({0, 1}, 40, 20), 1u);  // 0.5
  EXPECT_EQ(genre_weighted::quantity_of({0, 1}, 41, 20), 0u);  // 0.49
  EXPECT_EQ(genre_weighted::quantity_of({0, 3}, 8, 20), 8u);   // 7.5
  EXPECT_EQ(genre_weighted::quantity_of({0, 1}, 3, 10), 3u);   // 3.33
}

TEST_F(GenreWeightedTest, Step5PickingTheBestTakesUnwatchedOnesByPopularity) {
  films("Drama", 1, 6);
  world_.watch("u", "movie:1");
  world_.rate("u", "movie:3", 1);
  Query query;
  const ReadState state = world_.state("u");
  const Matcher matcher(query, state);
  const auto picked = genre_weighted::pick({genre("Drama"), 1}, 3, dealings("u"), matcher, state);
  EXPECT_EQ(ids(picked), (std::vector<std::string>{"movie:2", "movie:4", "movie:5"}));
}

TEST_F(GenreWeightedTest, Step6CombiningAndCleaningDropsRepeats) {
  const auto entry = [](state::ItemIndex item) { return RankedEntry{1, 0, item, item}; };
  const auto merged = genre_weighted::merge({{entry(1), entry(2)}, {entry(2), entry(3)}, {}});
  EXPECT_EQ(merged, (std::vector{entry(1), entry(2), entry(3)}));
}

TEST_F(GenreWeightedTest, Step7FinalPolishSortsByPopularityAndTrims) {
  const auto entry = [](double score, state::ItemIndex item) {
    return RankedEntry{score, 0, item, item};
  };
  const auto polished =
      genre_weighted::polish({entry(1, 1), entry(3, 2), entry(2, 3)}, 2, world_.state());
  EXPECT_EQ(polished, (std::vector{entry(3, 2), entry(2, 3)}));
}

TEST_F(GenreWeightedTest, TheSeedsExampleGivesTenSixAndFour) {
  films("Action", 100, 30);
  films("Comedy", 200, 30);
  films("Horror", 300, 30);
  for (int i = 0; i < 5; ++i) world_.rate("u", "movie:" + std::to_string(125 + i), 4);
  for (int i = 0; i < 3; ++i) world_.rate("u", "movie:" + std::to_string(225 + i), 4);
  for (int i = 0; i < 2; ++i) world_.rate("u", "movie:" + std::to_string(325 + i), 4);
  const Ranked ranked = rank("u");
  EXPECT_EQ(ranked.level, "personal");
  EXPECT_EQ(ranked.algorithm, "genre_weighted");
  std::map<std::string, int> by_genre;
  for (const auto& scored : ranked.items) {
    ++by_genre[world_.catalog().find(scored.item)->item.categories.front()];
  }
  EXPECT_EQ(by_genre, (std::map<std::string, int>{{"Action", 10}, {"Comedy", 6}, {"Horror", 4}}));
}

TEST_F(GenreWeightedTest, FillsFromTheLikedGenresFirstThenByPopularity) {
  films("Drama", 1, 4);
  films("War", 100, 3);
  films("Action", 200, 30);
  world_.rate("u", "movie:1", 5);
  const Ranked ranked = rank("u");
  EXPECT_EQ(ranked.items.size(), 20u);
  const auto got = world_.ids(ranked);
  for (const char* id : {"movie:2", "movie:3", "movie:4"}) {
    EXPECT_NE(std::find(got.begin(), got.end(), id), got.end()) << id;
  }
}

TEST_F(GenreWeightedTest, WithoutLikesFallsBackToPopular) {
  films("Drama", 1, 5);
  world_.rate("u", "movie:1", 1);
  const Ranked ranked = rank("u");
  EXPECT_EQ(ranked.level, "popular");
  EXPECT_EQ(ranked.algorithm, "popular");
  EXPECT_EQ(world_.ids(ranked).front(), "movie:2");
  EXPECT_EQ(world_.ids(rank("stranger")).front(), "movie:1");
}

TEST_F(GenreWeightedTest, WatchedFilmsComeOnlyWhenThereIsNothingElse) {
  films("Drama", 1, 3);
  for (int i = 1; i <= 2; ++i) world_.rate("u", "movie:" + std::to_string(i), 5);
  EXPECT_EQ(world_.ids(rank("u")), std::vector<std::string>{"movie:3"});
  world_.watch("u", "movie:3");
  EXPECT_EQ(rank("u").items.size(), 3u);
}

TEST_F(GenreWeightedTest, StaysWithTheKindsThatThePersonRated) {
  films("Drama", 1, 3);
  world_.put("video:1", {"Drama"});
  watched_by(9, "video:1");
  world_.rate("u", "movie:1", 5);
  const auto got = world_.ids(rank("u"));
  EXPECT_EQ(got, (std::vector<std::string>{"movie:2", "movie:3"}));
  Query query;
  query.kind = "video";
  EXPECT_EQ(world_.ids(rank("u", query)), std::vector<std::string>{"video:1"});
}

TEST_F(GenreWeightedTest, AKeptProfileChangesNothing) {
  std::mt19937 random(4);
  for (int i = 0; i < 200; ++i) {
    world_.put((i % 9 == 0 ? "video:" : "movie:") + std::to_string(i),
               {"g" + std::to_string(random() % 9), "g" + std::to_string(random() % 9)});
  }
  for (int i = 0; i < 800; ++i) {
    const auto n = random() % 200;
    world_.rate("u" + std::to_string(random() % 20),
                (n % 9 == 0 ? "video:" : "movie:") + std::to_string(n), double(random() % 5 + 1));
  }
  for (int u = 0; u < 20; ++u) {
    const std::string user = "u" + std::to_string(u);
    for (const char* kind : {"", "movie", "video"}) {
      Query query;
      query.kind = kind;
      const Ranked without = rank(user, query);
      world_.keep_profile(user);
      EXPECT_EQ(rank(user, query), without);
    }
  }
}

// The seed's words once more, as plainly as can be.
std::vector<std::string> plain_reference(RankerWorld& world, const std::string& user) {
  struct Film {
    std::string id;
    double popularity, engagement;
    std::vector<std::string> genres;
    bool watched = false, liked = false;
  };
  std::vector<Film> films;
  const auto known = world.known(user);
  world.catalog().for_each(0, [&](const state::CatalogItem& item) {
    const auto counts = world.counts(item.index);
    Film film{item.item.id.value, counts.popularity(), counts.engagement(), item.item.categories};
    known.view.person->for_each_row([&](const state::ItemRow& row) {
      if (known.index_of(row.item) != item.index) return;
      film.watched = row.has(state::kWatched);
      film.liked = row.has(state::kRated) && row.rating_centi >= 300;
    });
    films.push_back(film);
    return true;
  });
  std::sort(films.begin(), films.end(), [](const Film& a, const Film& b) {
    if (a.popularity != b.popularity) return a.popularity > b.popularity;
    if (a.engagement != b.engagement) return a.engagement > b.engagement;
    return std::stoi(a.id.substr(6)) < std::stoi(b.id.substr(6));
  });
  std::map<std::string, int> liked_in;
  int liked = 0;
  for (const Film& film : films) {
    liked += film.liked;
    for (const auto& genre : film.genres) liked_in[genre] += film.liked;
  }
  std::set<std::string> chosen;
  for (const auto& [genre, count] : liked_in) {
    if (count == 0) continue;
    int quantity = static_cast<int>(20.0 * count / liked + 0.5);
    for (const Film& film : films) {
      const bool in = std::find(film.genres.begin(), film.genres.end(), genre) != film.genres.end();
      if (quantity == 0) break;
      if (in && !film.watched) chosen.insert(film.id), --quantity;
    }
  }
  std::vector<std::string> merged;
  for (const Film& film : films) {
    if (chosen.contains(film.id)) merged.push_back(film.id);
  }
  const auto fill = [&](bool liked_genres_only) {
    for (const Film& film : films) {
      const bool of_liked = std::any_of(film.genres.begin(), film.genres.end(),
                                        [&](const auto& genre) { return liked_in[genre] > 0; });
      if (merged.size() >= 20 || film.watched || (liked_genres_only && !of_liked)) continue;
      if (chosen.insert(film.id).second) merged.push_back(film.id);
    }
  };
  fill(true);
  fill(false);
  if (merged.size() > 20) merged.resize(20);
  const std::set<std::string> final_set(merged.begin(), merged.end());
  std::vector<std::string> out;
  for (const Film& film : films) {
    if (final_set.contains(film.id)) out.push_back(film.id);
  }
  return out;
}

TEST_F(GenreWeightedTest, EqualsAPlainComputation) {
  std::mt19937 random(9);
  for (int i = 0; i < 400; ++i) {
    std::set<std::string> genres;
    for (std::size_t n = random() % 3 + 1; n > 0; --n)
      genres.insert("g" + std::to_string(random() % 8));
    world_.put("movie:" + std::to_string(i), {genres.begin(), genres.end()});
  }
  for (int i = 0; i < 3000; ++i) {
    world_.rate("u" + std::to_string(random() % 25),
                "movie:" + std::to_string(std::min(random() % 400, random() % 400)),
                double(random() % 10 + 1) / 2);
  }
  for (int u = 0; u < 25; ++u) {
    const std::string user = "u" + std::to_string(u);
    const auto expected = plain_reference(world_, user);
    ASSERT_EQ(expected.size(), 20u);
    EXPECT_EQ(world_.ids(rank(user)), expected) << user;
  }
}

}  // namespace
}  // namespace millrace::processors
