// What stands around every ranker: filling up, skips, rotation, rules, diversity.
#include "processors/rankers/arrange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "processors/rankers/common.h"
#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

constexpr const char* kGenres[] = {"Action", "Drama", "Comedy", "Horror", "War"};

void populate(RankerWorld& world) {
  std::mt19937 random(3);
  for (int i = 0; i < 90; ++i) {
    Item item = world.put("movie:" + std::to_string(i), {kGenres[i % 5]},
                          {"t" + std::to_string(i % 7), i % 30 == 0 ? "rare" : "common"});
    item.price = std::to_string(i % 20) + ".00";
    item.attributes = R"({"brand":")" + std::string(i % 3 == 0 ? "acme" : "other") + R"("})";
    world.put(item);
  }
  for (int i = 0; i < 900; ++i) {
    const auto user = "u" + std::to_string(random() % 20);
    const auto item = "movie:" + std::to_string(random() % 80);
    world.now += 100'000;
    switch (random() % 6) {
      case 0: world.like(user, item); break;
      case 1: world.watch(user, item); break;
      case 2: world.skip(user, item); break;
      case 3:
        if (random() % 3 == 0) world.dislike(user, item);
        break;
      default: world.rate(user, item, static_cast<double>(random() % 10 + 1) / 2); break;
    }
  }
}

RankingRule rule(const std::string& id, RuleKind kind, const std::string& field = {},
                 const std::string& value = {}) {
  RankingRule out{id, kind};
  out.field = field;
  out.value = value;
  return out;
}

class ArrangeTest : public ::testing::TestWithParam<Ranker> {
 protected:
  ArrangeTest() { populate(world_); }

  Query query_of(const std::string& user, std::size_t limit = 10) const {
    Query query;
    query.user = UserId(user);
    query.limit = limit;
    query.now = world_.now;
    query.explain = true;
    query.seed = 5;
    return query;
  }
  Ranked rank(const Query& query) {
    return rank_arranged(GetParam(), query, world_.state(query.user.value));
  }
  const state::CatalogItem& item(const Scored& scored) const {
    return *world_.catalog().find(scored.item);
  }
  double jaccard(const Scored& a, const Scored& b) const {
    const auto names = [&](const Scored& scored) {
      std::set<std::string> out(item(scored).item.tags.begin(), item(scored).item.tags.end());
      out.insert(item(scored).item.categories.begin(), item(scored).item.categories.end());
      return out;
    };
    const auto x = names(a), y = names(b);
    const auto both = static_cast<double>(
        std::count_if(x.begin(), x.end(), [&](const auto& name) { return y.contains(name); }));
    return both / (static_cast<double>(x.size() + y.size()) - both);
  }
  bool has(const Scored& scored, const std::string& category) const {
    const auto& all = item(scored).item.categories;
    return std::find(all.begin(), all.end(), category) != all.end();
  }
  static std::size_t count_of(const Ranked& ranked, const std::function<bool(const Scored&)>& is) {
    return static_cast<std::size_t>(std::count_if(ranked.items.begin(), ranked.items.end(), is));
  }
  // At most k, none twice, parts add up exactly, the same again, and the same without parts.
  void expect_sound(const Query& query, const Ranked& ranked, bool in_order = true) {
    EXPECT_LE(ranked.items.size(), query.limit);
    std::set<state::ItemIndex> seen;
    for (const Scored& scored : ranked.items) {
      EXPECT_TRUE(seen.insert(scored.item).second);
      double sum = 0;
      for (const Part& part : scored.parts) sum += part.value;
      EXPECT_EQ(sum, scored.score);
    }
    if (in_order) {
      EXPECT_TRUE(std::is_sorted(ranked.items.begin(), ranked.items.end(),
                                 [](const auto& a, const auto& b) { return a.score > b.score; }));
    }
    EXPECT_EQ(rank(query), ranked);
    Query plain = query;
    plain.explain = false;
    const Ranked without = rank(plain);
    ASSERT_EQ(without.items.size(), ranked.items.size());
    for (std::size_t i = 0; i < ranked.items.size(); ++i) {
      EXPECT_EQ(without.items[i].item, ranked.items[i].item);
      EXPECT_EQ(without.items[i].score, ranked.items[i].score);
    }
  }
  // What a person may still be given by a ranker that leaves out what they have dealt with.
  std::size_t allowed(const Query& query) {
    const auto state = world_.state(query.user.value);
    const Matcher matcher(query, state);
    const Who who = who_asks(state);
    const auto had =
        GetParam().personal && who.known != nullptr ? dealt_with(*who.known) : NumberSet();
    std::size_t count = 0;
    world_.catalog().for_each(0, [&](const state::CatalogItem& one) {
      count += matcher.allows(one.index) && !had.contains(one.index) ? 1 : 0;
      return true;
    });
    return count;
  }

  RankerWorld world_;
};

TEST_P(ArrangeTest, FillsUpToWhatTheFilterAllows) {
  const auto check = [&](const std::function<void(Query&)>& narrow) {
    for (const char* user : {"u1", "u2", "u7", "nobody", ""}) {
      Query query = query_of(user, 40);
      narrow(query);
      const Ranked ranked = rank(query);
      const bool may_repeat = GetParam().name == "feed" || GetParam().name == "genre_weighted";
      const auto least = std::min(query.limit, allowed(query));
      if (may_repeat) {
        EXPECT_GE(ranked.items.size(), least) << user;
      } else {
        EXPECT_EQ(ranked.items.size(), least) << user;
      }
      expect_sound(query, ranked);
    }
  };
  check([](Query&) {});
  check([](Query& query) { query.filter.tag = "rare"; });
  check([](Query& query) { query.filter.tag = "t3"; });
  check([](Query& query) { query.category = "Drama"; });
  check([](Query& query) { query.kind = "movie"; });
  check([](Query& query) { query.kind = "video"; });
  check([](Query& query) { query.filter.price_max = 300; });
  check([](Query& query) { query.filter.attributes = {{"brand", "acme"}}; });
  check([](Query& query) {
    query.filter.tag = "common";
    query.filter.category = "War";
    query.exclude = {ItemId("movie:4"), ItemId("movie:9")};
  });
}

// A tag's items are found by the tag: the answer is the one that a walk over everything gives.
TEST_P(ArrangeTest, ATagNarrowsWithoutAScan) {
  Query query = query_of("u3", 10);
  query.filter.tag = "rare";
  Metrics metrics;
  auto state = world_.state("u3");
  auto& scans = metrics.counter("scans", "");
  state.filter_scans = &scans;
  for (const Scored& scored : rank_arranged(GetParam(), query, state).items) {
    EXPECT_EQ(item(scored).item.tags.back(), "rare");
  }
  EXPECT_EQ(scans.value(), 0);
}

TEST_P(ArrangeTest, WhatIsDislikedIsNeverShownAgain) {
  for (const char* id : {"movie:81", "movie:85", "movie:3"}) world_.dislike("u4", id);
  const Ranked ranked = rank(query_of("u4", 90));
  for (const Scored& scored : ranked.items) {
    const auto id = world_.id(scored.item);
    EXPECT_TRUE(id != "movie:81" && id != "movie:85" && id != "movie:3") << id;
  }
}

TEST_P(ArrangeTest, WhatWasSkippedCountsForLess) {
  const Query query = query_of("u5", 10);
  const auto had = dealt_with(world_.known("u5"));  // what was taken to counts in spite of a skip
  const auto ranked = rank(query);
  const auto found = std::find_if(ranked.items.begin(), ranked.items.end(), [&](const auto& one) {
    return one.score > 0 && !had.contains(one.item);
  });
  if (found == ranked.items.end()) GTEST_SKIP() << "nothing has a score to lose";
  const Scored first = *found;
  world_.skip("u5", world_.id(first.item));
  const Ranked after = rank(query);
  expect_sound(query, after);
  for (const Scored& scored : after.items) {
    if (scored.item != first.item) continue;
    EXPECT_TRUE(std::any_of(scored.parts.begin(), scored.parts.end(),
                            [](const Part& part) { return part.name == "skipped"; }));
  }
}

TEST_P(ArrangeTest, WhatIsShownInVainGoesDownAndComesBack) {
  Query query = query_of("u6", 10);
  query.rotate_after = 3;
  const auto before = rank(query);
  const auto first = before.items.front().item;
  if (before.items.front().score <= 0) GTEST_SKIP() << "it has no score to lose";
  world_.shown = {{first, 2, world_.now}};
  EXPECT_EQ(rank(query), before);
  world_.shown = {{first, 40, world_.now}};
  const auto after = rank(query);
  expect_sound(query, after);
  EXPECT_NE(after.items.front().item, first);
  query.now += world_.options.rotate_recover_ms;
  const auto later = rank(query);
  world_.shown.clear();
  EXPECT_EQ(later, rank(query));
  // Without being asked it is the ensemble's alone.
  query.rotate_after.reset();
  query.now = world_.now;
  world_.shown = {{first, 40, world_.now}};
  const auto usual = rank(query);
  world_.shown.clear();
  EXPECT_EQ(usual == rank(query), GetParam().name != "hybrid_ensemble");
}

TEST_P(ArrangeTest, DiversityMakesTheListLessAlike) {
  const auto alike = [&](const Ranked& ranked) {
    double sum = 0;
    for (std::size_t i = 0; i < ranked.items.size(); ++i) {
      double nearest = 0;
      for (std::size_t j = 0; j < i; ++j) {
        nearest = std::max(nearest, jaccard(ranked.items[i], ranked.items[j]));
      }
      sum += nearest;
    }
    return sum;
  };
  double plain = 0, diverse = 0;
  for (int user = 0; user < 20; ++user) {
    Query query = query_of("u" + std::to_string(user));
    const auto as_today = rank(query);
    EXPECT_EQ(as_today.items.size(), std::min(query.limit, as_today.items.size()));
    plain += alike(as_today);
    for (const double dial : {0.3, 1.0}) {
      query.diversity = dial;
      const auto ranked = rank(query);
      expect_sound(query, ranked);
      EXPECT_EQ(ranked.items.size(), as_today.items.size());
      if (dial == 1.0) diverse += alike(ranked);
    }
  }
  EXPECT_LT(diverse, plain);
}

TEST_P(ArrangeTest, RulesBoostBuryAndSayso) {
  auto boost = rule("b", RuleKind::kBoost, "category", "War");
  boost.factor = 50;
  auto over = rule("c", RuleKind::kBoost, "category", "Drama");
  over.factor = 50;
  over.end = world_.now;  // has ended
  world_.set_rules({boost, over, rule("d", RuleKind::kBury, "attr.brand", "acme")});
  Query query = query_of("u8", 90);
  const auto ranked = rank(query);
  expect_sound(query, ranked);
  bool buried = false;
  for (const Scored& scored : ranked.items) {
    const bool acme = item(scored).item.attributes.find("acme") != std::string::npos;
    EXPECT_TRUE(acme || !buried) << "something stands below what is buried";
    buried = buried || acme;
    const auto told = [&](const char* name) {
      return std::any_of(scored.parts.begin(), scored.parts.end(),
                         [&](const Part& part) { return part.name == name; });
    };
    EXPECT_EQ(told("rule:b"), has(scored, "War"));
    EXPECT_FALSE(told("rule:c"));
    EXPECT_EQ(told("rule:d"), acme);
  }
  EXPECT_TRUE(buried);
}

TEST_P(ArrangeTest, QuotasHoldAndTheListIsFull) {
  auto each = rule("q", RuleKind::kQuota, "category");
  each.most = 3;
  auto acme = rule("r", RuleKind::kQuota, "attr.brand", "acme");
  acme.most = 2;
  Query query = query_of("u9", 10);
  const auto before = rank(query).items.size();
  world_.set_rules({each, acme});
  const auto ranked = rank(query);
  expect_sound(query, ranked);
  EXPECT_EQ(ranked.items.size(), before);
  for (const char* genre : kGenres) {
    EXPECT_LE(count_of(ranked, [&](const Scored& scored) { return has(scored, genre); }), 3u);
  }
  EXPECT_LE(count_of(ranked,
                     [&](const Scored& scored) {
                       return item(scored).item.attributes.find("acme") != std::string::npos;
                     }),
            2u);
}

TEST_P(ArrangeTest, PinsAreInTheirPlaceUnlessRuledOut) {
  auto pin = rule("p", RuleKind::kPin);
  pin.item = ItemId("movie:88");
  pin.place = 3;
  auto away = rule("q", RuleKind::kPin);
  away.item = ItemId("movie:89");
  away.place = 1;
  world_.set_rules({pin, away});
  Query query = query_of("u10", 10);
  query.exclude = {ItemId("movie:89")};
  const auto ranked = rank(query);
  expect_sound(query, ranked, false);
  ASSERT_GT(ranked.items.size(), 2u);
  EXPECT_EQ(world_.id(ranked.items[2].item), "movie:88");
  EXPECT_EQ(ranked.items[2].parts.back().name, "rule:p");
  query.exclude.emplace_back("movie:88");
  for (const Scored& scored : rank(query).items) EXPECT_NE(world_.id(scored.item), "movie:88");
}

INSTANTIATE_TEST_SUITE_P(All, ArrangeTest, ::testing::ValuesIn(rankers()),
                         [](const auto& which) { return std::string(which.param.name); });

// ---- negatives within the rankers

TEST(Negatives, TheNeighboursOfWhatIsDislikedWeighLess) {
  const auto score_of = [](RankerWorld& world, const char* id) {
    Query query;
    query.user = UserId("me");
    query.now = world.now;
    query.limit = 50;
    double score = 0;
    for (const auto& scored :
         rank_arranged(*find_ranker("collaborative"), query, world.state("me")).items) {
      if (world.id(scored.item) == id) score = scored.score;
    }
    return score;
  };
  RankerWorld world;
  for (const char* id : {"movie:1", "movie:2", "movie:3", "movie:4"}) world.put(id, {"Drama"});
  for (int i = 0; i < 12; ++i) {
    const auto user = "u" + std::to_string(i);
    world.like(user, "movie:1");
    world.like(user, "movie:3");
    if (i % 2 == 0) world.like(user, "movie:2");
  }
  world.like("me", "movie:1");
  const auto neutral = score_of(world, "movie:3");
  EXPECT_GT(neutral, 0);
  world.skip("me", "movie:2");
  const auto skipped = score_of(world, "movie:3");
  EXPECT_LT(skipped, neutral);
  world.dislike("me", "movie:2");
  EXPECT_LT(score_of(world, "movie:3"), skipped);
}

TEST(Negatives, GenresOfWhatIsDislikedWeighLess) {
  RankerWorld world;
  for (int i = 0; i < 20; ++i) {
    world.put("movie:" + std::to_string(i), {i % 2 == 0 ? "Drama" : "War"});
  }
  for (int i = 0; i < 20; ++i) world.rate("crowd", "movie:" + std::to_string(i), 4);
  for (const char* id : {"movie:0", "movie:2", "movie:1"}) world.rate("me", id, 5);
  const auto wars = [&] {
    Query query;
    query.user = UserId("me");
    query.now = world.now;
    query.limit = 6;
    std::size_t count = 0;
    for (const auto& scored :
         rank_arranged(*find_ranker("genre_weighted"), query, world.state("me")).items) {
      count += world.catalog().find(scored.item)->item.categories.front() == "War" ? 1 : 0;
    }
    return count;
  };
  const auto before = wars();
  EXPECT_GT(before, 0u);
  world.dislike("me", "movie:3");
  EXPECT_LT(wars(), before);
}

}  // namespace
}  // namespace millrace::processors
