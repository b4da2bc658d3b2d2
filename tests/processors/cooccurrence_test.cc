#include "processors/views/cooccurrence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

namespace millrace::processors {
namespace {

using Counts = std::map<std::pair<state::ItemIndex, state::ItemIndex>, std::uint32_t>;

Counts all_of(const Cooccurrence& table, state::ItemIndex items) {
  Counts out;
  for (state::ItemIndex i = 0; i < items; ++i) {
    for (const Neighbour& neighbour : table.row(i)) out[{i, neighbour.item}] = neighbour.count;
  }
  return out;
}

state::ItemIndex any_item(std::mt19937& random) {
  return static_cast<state::ItemIndex>(random() % 60);
}

std::vector<state::ItemIndex> random_window(std::mt19937& random, state::ItemIndex item) {
  std::vector<state::ItemIndex> out;
  for (std::size_t n = random() % 12; n > 0; --n) {
    const state::ItemIndex other = any_item(random);
    if (other != item && std::find(out.begin(), out.end(), other) == out.end()) {
      out.push_back(other);
    }
  }
  return out;
}

TEST(CooccurrenceTest, CountsLikeAPlainMapThroughAddsAndRemoves) {
  Cooccurrence table;
  Counts expected;
  std::vector<std::pair<state::ItemIndex, std::vector<state::ItemIndex>>> added;
  std::mt19937 random(5);
  std::map<state::ItemIndex, std::uint32_t> people;
  for (int i = 0; i < 4000; ++i) {
    const bool take_back = !added.empty() && random() % 5 < 2;
    const std::size_t at = added.empty() ? 0 : random() % added.size();
    if (!take_back) {
      const state::ItemIndex item = any_item(random);
      added.emplace_back(item, random_window(random, item));
    }
    const auto& [item, window] = take_back ? added[at] : added.back();
    if (take_back) {
      table.remove(item, window);
    } else {
      table.add(item, window);
    }
    people[item] += take_back ? ~0u : 1u;
    for (const auto other : window) {
      for (const auto& pair : {std::pair{item, other}, std::pair{other, item}}) {
        if ((expected[pair] += take_back ? ~0u : 1u) == 0) expected.erase(pair);
      }
    }
    if (take_back) added.erase(added.begin() + static_cast<std::ptrdiff_t>(at));
    if (i % 200 == 0) {
      ASSERT_EQ(all_of(table, 60), expected);
    }
  }
  EXPECT_EQ(all_of(table, 60), expected);
  for (const auto& [item, n] : people) EXPECT_EQ(table.people(item), n);
  while (!added.empty()) {
    table.remove(added.back().first, added.back().second);
    added.pop_back();
  }
  EXPECT_TRUE(all_of(table, 60).empty());
}

TEST(CooccurrenceTest, BeyondTheBudgetKnownPairsGoOnAndNewOnesAreRefused) {
  Cooccurrence table(4096);
  for (state::ItemIndex i = 1; i < 2000; ++i) {
    const state::ItemIndex first = 0;
    table.add(i, {&first, 1});
  }
  EXPECT_GT(table.refused(), 0u);
  EXPECT_LT(table.row(0).size(), 1999u);
  const auto kept = table.row(0).front();
  const state::ItemIndex first = 0;
  table.add(kept.item, {&first, 1});
  EXPECT_EQ(table.row(kept.item).front().count, kept.count + 1);
  table.clear();
  EXPECT_TRUE(table.row(0).empty());
  EXPECT_EQ(table.people(1), 0u);
  table.add(1, {&first, 1});
  EXPECT_EQ(table.row(0).size(), 1u);
}

TEST(CooccurrenceTest, SeveralWritersSumUpToTheSame) {
  Cooccurrence alone, together;
  const auto write = [](Cooccurrence& table, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 3000; ++i) {
      const state::ItemIndex item = any_item(random);
      table.add(item, random_window(random, item));
    }
  };
  for (unsigned seed = 0; seed < 4; ++seed) write(alone, seed);
  {
    std::vector<std::jthread> writers;
    for (unsigned seed = 0; seed < 4; ++seed) {
      writers.emplace_back([&, seed] { write(together, seed); });
    }
    for (int i = 0; i < 200; ++i) {
      for (const auto& neighbour : together.row(7)) ASSERT_NE(neighbour.count, 0u);
    }
  }
  EXPECT_EQ(all_of(together, 60), all_of(alone, 60));
}

TEST(CooccurrenceTest, ABatchAddsWhatSingleAddsDo) {
  Cooccurrence single, batched;
  Cooccurrence::Batch batch;
  std::mt19937 random(9);
  for (int i = 0; i < 3000; ++i) {
    const state::ItemIndex item = any_item(random);
    const auto window = random_window(random, item);
    single.add(item, window);
    batch.add(item, window);
    if (i % 700 == 0) batch.settle(batched);
  }
  batch.settle(batched);
  batch.settle(batched);  // nothing is left to add
  EXPECT_EQ(all_of(batched, 60), all_of(single, 60));
  for (state::ItemIndex item = 0; item < 60; ++item) {
    EXPECT_EQ(batched.people(item), single.people(item));
  }
}

TEST(CooccurrenceTest, TheWholeSequenceComesInItsOrder) {
  state::Person person;
  const std::pair<state::ItemNumber, std::uint32_t> orders[] = {{4, 2}, {9, 1}, {5, 0}, {1, 7}};
  for (const auto& [item, order] : orders) {
    state::ItemRow row = person.row(item);
    row.order = order;
    person.put(row);
  }
  EXPECT_EQ(whole_sequence(person), (std::vector<state::ItemNumber>{9, 4, 1}));
}

TEST(CooccurrenceTest, OfALongRowTheStrongestAreChosenAndChosenAnew) {
  constexpr double kShrink = 10;
  constexpr state::ItemIndex kOthers = Cooccurrence::kStrongest + 100;
  Cooccurrence table;
  const auto has = [&](state::ItemIndex item) {
    const auto row = table.strongest(0, kShrink);
    return std::any_of(row->begin(), row->end(), [&](const auto& one) { return one.item == item; });
  };
  for (state::ItemIndex other = 1; other < Cooccurrence::kStrongest; ++other)
    table.add(0, {&other, 1});
  EXPECT_EQ(table.strongest(0, kShrink)->size(), table.row(0).size()) << "a short row is whole";
  for (state::ItemIndex other = Cooccurrence::kStrongest; other <= kOthers; ++other) {
    table.add(0, {&other, 1});
  }
  const state::ItemIndex dear = kOthers, lonely = 1, itself = 0;
  for (int i = 0; i < 5; ++i) table.add(0, {&dear, 1});
  for (int i = 0; i < 50; ++i) table.add(lonely, {});  // many have it, and one of them has 0
  ASSERT_EQ(table.strongest(0, kShrink)->size(), Cooccurrence::kStrongest);
  EXPECT_TRUE(has(dear));
  EXPECT_FALSE(has(lonely));
  const std::size_t bytes = table.memory_bytes();

  for (int i = 0; i < 30; ++i) table.add(0, {&lonely, 1});  // more than 1/64 of its people
  EXPECT_TRUE(has(lonely));
  for (int i = 0; i < 30; ++i) table.remove(0, {&lonely, 1});
  EXPECT_FALSE(has(lonely)) << "what is taken back shows at once";
  EXPECT_EQ(table.memory_bytes(), bytes);
  table.clear();
  EXPECT_TRUE(table.strongest(itself, kShrink)->empty());
}

}  // namespace
}  // namespace millrace::processors
