#include "processors/rankers/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

using People = std::map<std::string, std::set<std::string>>;  // by product

double cosine(const People& people, const std::string& a, const std::string& b) {
  std::size_t both = 0;
  for (const auto& user : people.at(a)) both += people.at(b).count(user);
  return static_cast<double>(both) /
         std::sqrt(static_cast<double>(people.at(a).size() * people.at(b).size()));
}

// Some products come often; every person has a few.
People fill(RankerWorld& world, int products, int users, unsigned seed) {
  People people;
  std::mt19937 random(seed);
  for (int p = 0; p < products; ++p) {
    const auto id = "product:" + std::to_string(p);
    world.put(id, {"c" + std::to_string(p % 3)});
    people[id];
  }
  for (int u = 0; u < users; ++u) {
    const auto user = "u" + std::to_string(u);
    for (std::size_t n = 3 + random() % 40; n > 0; --n) {
      const auto p = random() % static_cast<unsigned>(products);
      const auto id = "product:" + std::to_string(p * p / static_cast<unsigned>(products));
      world.view(user, id, BuiltIn::kPurchase);
      people[id].insert(user);
    }
  }
  return people;
}

Ranked neighbours(RankerWorld& world, const std::string& product, std::size_t limit = 10,
                  const std::string& category = {}, const TrainedOverlaps& trained = {}) {
  Query query;
  query.limit = limit;
  query.category = category;
  return rank_neighbours(query, world.state(), ItemId(product), trained);
}

TEST(Neighbours, EqualABruteForceComputation) {
  RankerWorld world;
  const auto people = fill(world, 80, 300, 1);
  for (const auto& [product, ignored] : people) {
    std::vector<double> expected;
    for (const auto& [other, who] : people) {
      if (other != product && !who.empty() && !people.at(product).empty()) {
        expected.push_back(cosine(people, product, other));
      }
    }
    std::sort(expected.rbegin(), expected.rend());
    const auto ranked = neighbours(world, product);
    for (std::size_t i = 0; i < ranked.items.size(); ++i) {
      const auto& scored = ranked.items[i];
      if (scored.score == 0) continue;  // of its category
      EXPECT_DOUBLE_EQ(scored.score, expected[i]) << product;
      EXPECT_DOUBLE_EQ(scored.score, cosine(people, product, world.id(scored.item)));
    }
    if (people.at(product).size() > 5) {
      EXPECT_EQ(ranked.items.size(), 10u);
      EXPECT_EQ(ranked.level, "neighbours");
    }
  }
}

TEST(Neighbours, ACategoryNarrowsAndStandsInForWhatIsMissing) {
  RankerWorld world;
  for (const char* id : {"product:1", "product:2", "product:3", "product:4"}) world.put(id, {"a"});
  world.put("product:5", {"b"});
  world.put("product:6", {"b"});
  world.put("movie:7", {"b"});
  for (const char* id : {"product:1", "product:2", "product:5", "movie:7"}) {
    world.view("ann", id, BuiltIn::kPurchase);
  }
  for (const char* user : {"bob", "cyd"}) world.view(user, "product:4", BuiltIn::kPurchase);
  const auto ids = [&](const std::string& product, const std::string& category) {
    return world.ids(neighbours(world, product, 10, category));
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids("product:1", ""), (Ids{"product:2", "product:5", "product:4", "product:3"}));
  EXPECT_EQ(ids("product:1", "b"), (Ids{"product:5", "product:6"}));
  EXPECT_EQ(ids("product:6", ""), (Ids{"product:5"})) << "nobody has it: its category";
  EXPECT_EQ(ids("product:unknown", "a"), (Ids{"product:4", "product:1", "product:2", "product:3"}));
  EXPECT_EQ(ids("product:unknown", ""), Ids{});
  EXPECT_EQ(ids("product:1", "none such"), Ids{});
  Item hidden = world.put("product:2", {"a"});
  hidden.hidden = true;
  world.put(hidden);
  world.erase("product:5");
  EXPECT_EQ(ids("product:1", ""), (Ids{"product:4", "product:3"}));
}

TEST(Neighbours, BeyondTheBoundTheNewestPeopleStandForAll) {
  RankerWorld world;
  const auto people = fill(world, 40, 400, 2);
  const std::string product = "product:0";
  world.options.neighbour_cells = 500;
  const auto overlap = world.matrix.overlap(world.index(product), 500);
  EXPECT_EQ(overlap.people, people.at(product).size());
  EXPECT_LT(overlap.looked_at, overlap.people);
  std::map<state::ItemIndex, std::vector<Neighbour>> all;
  all[world.index(product)] = world.matrix.overlap(world.index(product), SIZE_MAX).others;
  const TrainedOverlaps trained = [&](state::ItemIndex item) {
    return std::span<const Neighbour>(all[item]);
  };
  // What is trained is the least: no score lies below the exact one.
  for (const auto& scored : neighbours(world, product, 10, "", trained).items) {
    EXPECT_GE(scored.score, cosine(people, product, world.id(scored.item)) - 1e-12);
  }
  // Those of the newest person are there at once.
  world.put("product:new");
  world.view("last", product, BuiltIn::kPurchase);
  world.view("last", "product:new", BuiltIn::kPurchase);
  const auto found = world.ids(neighbours(world, product, 40, "", trained));
  EXPECT_TRUE(std::count(found.begin(), found.end(), "product:new")) << "fresh";
}

TEST(InteractionMatrix, ErasedPeopleLeaveNothingBehind) {
  InteractionMatrix matrix(2, SIZE_MAX), without(2, SIZE_MAX);
  for (state::ItemIndex product = 0; product < 20; ++product) {
    matrix.add(0, "ann", product);
    matrix.add(1, "bob", product / 2 * 2);
    if (product % 2 == 0) without.add(1, "bob", product);
  }
  matrix.erase(0, "ann");
  matrix.erase(0, "nobody");
  for (state::ItemIndex product = 0; product < 20; ++product) {
    EXPECT_EQ(matrix.people(product), product % 2 == 0 ? 2u : 0u);
  }
  matrix.add(0, "cyd", 3);
  const auto cells = matrix.cells({}, 1'000);
  EXPECT_EQ(cells.front().user, "cyd") << "the row of who is gone is used again";
  EXPECT_EQ(matrix.overlap(3, 100).others.size(), 0u);
}

TEST(InteractionMatrix, CellsComeInPagesOnceEach) {
  InteractionMatrix matrix(3, SIZE_MAX);
  for (int user = 0; user < 7; ++user) {
    for (state::ItemIndex product = 0; product < 5; ++product) {
      matrix.add(static_cast<std::uint16_t>(user % 3), "u" + std::to_string(user), product);
    }
  }
  std::set<std::pair<std::string, state::ItemIndex>> seen;
  InteractionMatrix::Place at;
  for (auto page = matrix.cells(at, 4); !page.empty(); page = matrix.cells(at, 4)) {
    for (const auto& cell : page) EXPECT_TRUE(seen.emplace(cell.user, cell.product).second);
    at = page.back().next;
  }
  EXPECT_EQ(seen.size(), 35u);
}

TEST(InteractionMatrix, BeyondTheBudgetCellsAreRefusedAndCounted) {
  InteractionMatrix matrix(1, 100'000);
  state::ItemIndex product = 0;
  while (matrix.refused() == 0)
    matrix.add(0, "u" + std::to_string(product), product % 50), ++product;
  EXPECT_LT(matrix.memory_bytes(), 600'000u) << "the first column's chunk of the table is counted";
  EXPECT_GT(product, 1u);
}

TEST(InteractionMatrix, WritersAndReadersGoSideBySide) {
  InteractionMatrix matrix(2, SIZE_MAX);
  {
    std::vector<std::jthread> writers;
    for (std::uint16_t partition = 0; partition < 2; ++partition) {
      writers.emplace_back([&matrix, partition] {
        for (int user = 0; user < 300; ++user) {
          const auto name = std::to_string(partition) + "-" + std::to_string(user);
          for (state::ItemIndex product = 0; product < 20; ++product) {
            matrix.add(partition, name, product);
          }
          if (user % 10 == 0) matrix.erase(partition, name);
        }
      });
    }
    for (int i = 0; i < 300; ++i) {
      const auto overlap = matrix.overlap(3, 10'000);
      for (const auto& other : overlap.others) ASSERT_LE(other.count, overlap.people);
    }
  }
  EXPECT_EQ(matrix.people(7), 540u);
  EXPECT_EQ(matrix.overlap(7, SIZE_MAX).others.size(), 19u);
  EXPECT_EQ(matrix.overlap(7, SIZE_MAX).others.front().count, 540u);
}

}  // namespace
}  // namespace millrace::processors
