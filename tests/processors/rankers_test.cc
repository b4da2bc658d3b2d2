// Properties that every ranker in the list must have.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <set>

#include "processors/rankers/collaborative.h"
#include "processors/rankers/common.h"
#include "processors/rankers/list.h"
#include "processors/rankers/taste.h"
#include "processors/training/linear_model.h"
#include "processors/training/sequence_model.h"
#include "processors/views/positives.h"
#include "tests/support/ranker_world.h"
#include "tests/support/sequence_models.h"

namespace millrace::processors {
namespace {

// A catalog and an audience that know all cases: several kinds, hidden and deleted items, items
// that only events name, people of every sort.
void populate(RankerWorld& world, unsigned seed) {
  std::mt19937 random(seed);
  const std::vector<std::string> genres{"Action", "Drama", "Comedy", "Horror", "War"};
  for (int i = 0; i < 120; ++i) {
    const std::string kind = i % 3 == 0 ? "video:" : "movie:";
    Item item = world.put(kind + std::to_string(i), {genres[random() % 5]},
                          {"t" + std::to_string(random() % 8), "all"});
    if (random() % 3 == 0) item.categories.push_back("Short");
    item.hidden = random() % 10 == 0;
    item.price = std::to_string(random() % 30) + ".50";
    item.attributes = R"({"colour":")" + std::string(random() % 2 == 0 ? "red" : "blue") + R"("})";
    world.put(item);
  }
  for (int i = 0; i < 1500; ++i) {
    const std::string user = (i % 7 == 0 ? "s" : "u") + std::to_string(random() % 20);
    const int n = static_cast<int>(std::min(random() % 130, random() % 130));
    const std::string item = (n % 3 == 0 ? "video:" : "movie:") + std::to_string(n);
    world.now += 200'000;
    switch (random() % 6) {
      case 0: world.like(user, item); break;
      case 1: world.watch(user, item); break;
      case 2:
        world.view(user, item, random() % 2 == 0 ? BuiltIn::kView : BuiltIn::kProductView);
        break;
      case 3: world.share(user, item); break;
      default: world.rate(user, item, double(random() % 10 + 1) / 2); break;
    }
  }
  for (int i = 5; i < 120; i += 11) {
    world.erase((i % 3 == 0 ? "video:" : "movie:") + std::to_string(i));
  }
  std::vector<std::string> known;
  for (int i = 0; i < 110; ++i)
    known.push_back((i % 3 == 0 ? "video:" : "movie:") + std::to_string(i));
  auto model = SequenceModel::decode(random_sequence_model(known, seed).encode(), world.items);
  ASSERT_TRUE(model);
  world.deep_learning = std::make_shared<const SequenceModel>(*std::move(model));
}

std::shared_ptr<const LinearModel> linear_model_of(RankerWorld& world) {
  std::vector<state::ItemIndex> items(world.items.size());
  std::iota(items.begin(), items.end(), 0U);
  ItemGram gram(items, 10);
  for (int user = 0; user < 20; ++user) {
    const auto known = world.known("u" + std::to_string(user));
    if (!known.view.person) continue;
    items.clear();
    for (const auto& positive : positives_of(*known.view.person, known.index_of)) {
      items.push_back(positive.item);
    }
    gram.add(items);
  }
  LinearOptions options;
  options.lambda = 5;
  JobControl control;
  return std::make_shared<const LinearModel>(
      LinearModel::solve(std::move(gram), options, control).value());
}

Query random_query(std::mt19937& random, const RankerWorld& world) {
  Query query;
  query.now = world.now;
  query.seed = random();
  query.limit = random() % 30;
  query.explain = random() % 2 == 0;
  if (random() % 5 != 0)
    query.user = UserId((random() % 6 == 0 ? "x" : "u") + std::to_string(random() % 20));
  if (random() % 3 == 0) query.session = "s" + std::to_string(random() % 25);
  if (random() % 3 == 0) query.kind = random() % 3 == 0 ? "video" : "movie";
  if (random() % 4 == 0) query.category = random() % 5 == 0 ? "Nothing" : "Drama";
  for (std::size_t n = random() % 10; n > 0; --n) {
    query.exclude.emplace_back("movie:" + std::to_string(random() % 200));
  }
  if (random() % 4 == 0) query.filter.tag = "t" + std::to_string(random() % 9);
  if (random() % 6 == 0) query.filter.category = "Short";
  if (random() % 6 == 0) query.filter.price_max = 1550;
  if (random() % 6 == 0) query.filter.attributes = {{"colour", "red"}};
  return query;
}

bool fits(const Query& query, const state::CatalogItem& item) {
  const Item& i = item.item;
  const auto has = [](const auto& all, const std::string& one) {
    return one.empty() || std::find(all.begin(), all.end(), one) != all.end();
  };
  if (i.hidden || (!query.kind.empty() && i.kind != query.kind)) return false;
  if (!has(i.categories, query.category) || !has(i.categories, query.filter.category)) return false;
  if (!has(i.tags, query.filter.tag)) return false;
  if (query.filter.price_max && *price_in_hundredths(i.price) > *query.filter.price_max)
    return false;
  if (!query.filter.attributes.empty() && i.attributes.find("red") == std::string::npos)
    return false;
  return std::find(query.exclude.begin(), query.exclude.end(), i.id) == query.exclude.end();
}

// Those that leave out whatever a person has dealt with.
const std::set<std::string_view> kFromSequence{"collaborative", "session", "linear",
                                               "deep_learning", "hybrid_ensemble"};

class RankersTest : public ::testing::TestWithParam<Ranker> {
 protected:
  static void SetUpTestSuite() {
    world = std::make_unique<RankerWorld>();
    populate(*world, 1);
    world->linear = linear_model_of(*world);
  }
  static void TearDownTestSuite() { world.reset(); }

  template <class F>
  void for_queries(F&& check) {
    std::mt19937 random(2);
    for (int i = 0; i < 400; ++i) {
      const Query query = random_query(random, *world);
      const ReadState state = world->state(query.user.value, query.session);
      check(query, state, GetParam().rank(query, state));
      if (HasFatalFailure()) return;
    }
  }
  static std::unique_ptr<RankerWorld> world;
};
std::unique_ptr<RankerWorld> RankersTest::world;

class LearnedRankersTest : public ::testing::Test {
 protected:
  LearnedRankersTest() {
    populate(world_, 1);
    world_.linear = linear_model_of(world_);
  }
  RankerWorld& world() { return world_; }

 private:
  RankerWorld world_;
};

TEST_P(RankersTest, GivesAtMostKNoneTwiceAndOnlyWhatIsAllowed) {
  std::size_t given = 0;
  for_queries([&](const Query& query, const ReadState& state, const Ranked& ranked) {
    ASSERT_LE(ranked.items.size(), query.limit);
    std::set<state::ItemIndex> seen;
    for (const Scored& scored : ranked.items) {
      ASSERT_TRUE(seen.insert(scored.item).second);
      const auto* item = state.catalog->find(scored.item);
      ASSERT_NE(item, nullptr) << "deleted";
      ASSERT_TRUE(fits(query, *item)) << item->item.id.value;
      ++given;
    }
  });
  EXPECT_GT(given, 500u);
}

TEST_P(RankersTest, WhatIsSoldOutIsNotThereUntilItIsRestocked) {
  RankerWorld shop;
  std::vector<Item> products;
  for (int i = 0; i < 8; ++i) {
    Item item = shop.put("product:" + std::to_string(i), {"Light"});
    item.attributes = R"({"quantity":2})";
    shop.put(item);
    products.push_back(item);
  }
  for (int i = 0; i < 40; ++i) {
    const auto user = "u" + std::to_string(i % 10), id = "product:" + std::to_string(i % 7);
    shop.like(user, id);
    shop.rate(user, id, 5);
  }
  const auto shown = [&](const std::string& id) {
    Query query;
    query.user = UserId("u11");
    query.now = shop.now;
    const auto ids = shop.ids(GetParam().rank(query, shop.state("u11")));
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  const bool before = shown("product:0");
  shop.view("u1", "product:0", BuiltIn::kPurchase, 2);
  shop.view("u2", "product:1", BuiltIn::kPurchase, 5);
  EXPECT_FALSE(shown("product:0"));
  EXPECT_FALSE(shown("product:1"));
  products[0].attributes = R"({"quantity":1,"sold_before":2})";
  shop.put(products[0]);
  EXPECT_TRUE(shown("product:0") || !before);
}

TEST_P(RankersTest, PartsAddUpExactlyAndExplainingChangesNothingElse) {
  for_queries([&](Query query, const ReadState& state, const Ranked&) {
    query.explain = true;
    const Ranked explained = GetParam().rank(query, state);
    query.explain = false;
    const Ranked plain = GetParam().rank(query, state);
    ASSERT_EQ(explained.items.size(), plain.items.size());
    for (std::size_t i = 0; i < plain.items.size(); ++i) {
      double sum = 0;
      for (const Part& part : explained.items[i].parts) sum += part.value;
      ASSERT_FALSE(explained.items[i].parts.empty());
      ASSERT_EQ(sum, explained.items[i].score);
      ASSERT_EQ(explained.items[i].score, plain.items[i].score);
      ASSERT_EQ(explained.items[i].item, plain.items[i].item);
      ASSERT_TRUE(plain.items[i].parts.empty());
    }
  });
}

TEST_P(RankersTest, TheSameInputGivesTheSameOutput) {
  for_queries([&](const Query& query, const ReadState& state, const Ranked& ranked) {
    ASSERT_EQ(GetParam().rank(query, state), ranked);
  });
}

TEST_P(RankersTest, ComesInOrderOfScore) {
  for_queries([&](const Query&, const ReadState&, const Ranked& ranked) {
    ASSERT_TRUE(std::is_sorted(ranked.items.begin(), ranked.items.end(),
                               [](const auto& a, const auto& b) { return a.score > b.score; }));
  });
}

TEST_P(RankersTest, NamesItsLevelAndAlgorithm) {
  const std::set<std::string> levels{"personal", "session", "trending", "popular", "recent"};
  for_queries([&](const Query&, const ReadState& state, const Ranked& ranked) {
    ASSERT_TRUE(levels.contains(ranked.level)) << ranked.level;
    ASSERT_NE(find_ranker(ranked.algorithm), nullptr) << ranked.algorithm;
    if (!state.user.view.person) {
      ASSERT_NE(ranked.level, "personal");
    }
  });
}

TEST_P(RankersTest, AnswersAStrangerAndAnEmptyCatalog) {
  Query query;
  query.now = world->now;
  query.user = UserId("nobody");
  EXPECT_EQ(GetParam().rank(query, world->state("nobody")).items.empty(), false);
  query.user = UserId();
  EXPECT_EQ(GetParam().rank(query, world->state()).items.empty(), false);
  RankerWorld empty;
  EXPECT_TRUE(GetParam().rank(query, empty.state()).items.empty());
}

// Rankers that are about a property which not every item has give what has it; all others fill.
TEST_P(RankersTest, FillsUpToKWhereTheCatalogAllows) {
  const std::set<std::string_view> partial{"top_rated", "trending", "rising"};
  if (partial.contains(GetParam().name)) GTEST_SKIP() << "lists only items with its property";
  for_queries([&](const Query& query, const ReadState& state, const Ranked& ranked) {
    const Who who = who_asks(state);
    std::size_t allowed = 0, unseen = 0, of_rated_kinds = 0;
    std::set<state::ItemIndex> had;
    std::set<std::uint32_t> kinds;
    if (who.known != nullptr && GetParam().personal) {
      who.known->view.person->for_each_row([&](const state::ItemRow& row) {
        const auto item = who.known->index_of(row.item);
        const bool in_sequence = kFromSequence.contains(GetParam().name) && row.order != 0;
        if (row.has(state::kWatched) || in_sequence) had.insert(item);
        if (row.has(state::kRated)) kinds.insert(state.catalog->kind_of(item));
      });
    }
    kinds.erase(state::kAnyName);
    state.catalog->for_each(0, [&](const state::CatalogItem& item) {
      const bool fit = fits(query, item);
      allowed += fit;
      unseen += fit && !had.contains(item.index);
      of_rated_kinds += fit && !had.contains(item.index) && kinds.contains(item.kind);
      return true;
    });
    std::size_t expected = allowed;
    if (kFromSequence.contains(GetParam().name)) expected = unseen;
    if (GetParam().name == "genre_weighted" && who.known != nullptr) {
      const bool by_kind = query.kind.empty() && !kinds.empty();
      expected = by_kind ? of_rated_kinds : unseen;
      if (expected == 0) return;
    }
    ASSERT_EQ(ranked.items.size(), std::min(query.limit, expected));
  });
}

// The tests above are about the rankers themselves, and not what they fall back on.
TEST_F(LearnedRankersTest, AnswerUnderTheirOwnNames) {
  Query query;
  query.user = UserId("u1");
  query.now = world().now;
  query.explain = true;
  for (const char* name : {"collaborative", "linear", "hybrid_ensemble"}) {
    const auto ranked = find_ranker(name)->rank(query, world().state("u1"));
    EXPECT_EQ(ranked.algorithm, name);
    EXPECT_EQ(ranked.level, "personal");
    ASSERT_FALSE(ranked.items.empty());
    EXPECT_GT(ranked.items.front().score, 0);
    EXPECT_FALSE(ranked.items.front().parts.empty());
  }
}

TEST_F(LearnedRankersTest, WhatWasTakenToLastWeighsMost) {
  const RankingOptions options;
  EXPECT_GT(profile_weight(0, 3, Moment::kHere, options), 1);
  EXPECT_LT(profile_weight(12, 3, Moment::kHere, options), 0.08);
  EXPECT_GT(profile_weight(12, 3, Moment::kAway, options), options.recency_floor_away);
  EXPECT_GT(options.recency_floor_away, 2 * options.recency_floor);
  EXPECT_EQ(profile_weight(12, 3, Moment::kPast, options), 1);
}

// The moment is told from the request's time and the person's.
TEST_F(LearnedRankersTest, TheMomentIsHereAwayOrPast) {
  const auto known = world().known("u1");
  const auto positives = positives_of(*known.view.person, known.index_of);
  ASSERT_GT(positives.size(), 4u);
  std::vector<UnixMillis> times;
  for (const auto& positive : positives) times.push_back(positive.time);
  std::sort(times.begin(), times.end());
  const auto at = [&](UnixMillis now) {
    Query query;
    query.now = now;
    return taste_of(known, query, world().options).moment;
  };
  EXPECT_EQ(at(times.back() + 1), Moment::kHere);
  EXPECT_EQ(at(times.back() + world().options.away_ms), Moment::kAway);
  EXPECT_EQ(at(times[times.size() / 2] - 1), Moment::kPast);
}

INSTANTIATE_TEST_SUITE_P(All, RankersTest, ::testing::ValuesIn(rankers()),
                         [](const auto& which) { return std::string(which.param.name); });

TEST(FilterTest, ReadsPricesExactly) {
  EXPECT_EQ(price_in_hundredths("10.00"), 1000);
  EXPECT_EQ(price_in_hundredths("0.5"), 50);
  EXPECT_EQ(price_in_hundredths("7"), 700);
  EXPECT_EQ(price_in_hundredths(""), std::nullopt);
  EXPECT_EQ(price_in_hundredths("1.234"), std::nullopt);
  EXPECT_EQ(price_in_hundredths("-1"), std::nullopt);
}

TEST(FilterTest, FindsMembersOfJsonObjects) {
  const std::string text =
      R"({"a": "x\"y", "b":[1,{"c":"no"}], "n" : 12.5, "t":true, "c":"\u00e9\ud83d\ude00", "z":"}"})";
  EXPECT_EQ(json_member(text, "a"), "x\"y");
  EXPECT_EQ(json_member(text, "n"), "12.5");
  EXPECT_EQ(json_member(text, "t"), "true");
  EXPECT_EQ(json_member(text, "c"), "é😀");
  EXPECT_EQ(json_member(text, "z"), "}");
  EXPECT_EQ(json_member(text, "b"), std::nullopt);
  EXPECT_EQ(json_member(text, "q"), std::nullopt);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    json_member(std::string_view(text).substr(0, cut), "z");
  }
  EXPECT_EQ(json_member("", "a"), std::nullopt);
}

}  // namespace
}  // namespace millrace::processors
