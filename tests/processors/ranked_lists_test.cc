#include "processors/views/ranked_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

using Entries = std::vector<RankedEntry>;

Entries all_of(const RankedList& list) {
  Entries out;
  list.for_each([&](const RankedEntry& entry) {
    out.push_back(entry);
    return true;
  });
  return out;
}

TEST(RankedListTest, StaysEqualToASortedVectorUnderRandomChanges) {
  state::NameTable names;
  const RankedOrder order(names);
  std::mt19937 random(7);
  const auto entry = [&](std::uint32_t item) {
    return RankedEntry{double(random() % 50), double(random() % 3), item, item};
  };
  Entries expected;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    names.intern("i:" + std::to_string(i));
    if (i % 2 == 0) expected.push_back(entry(i));
  }
  RankedList list = RankedList::of(expected, order);
  for (int round = 0; round < 200; ++round) {
    Entries removals, insertions;
    std::shuffle(expected.begin(), expected.end(), random);
    const std::size_t gone = round % 20 == 0 ? expected.size() / 2 : random() % 20;
    removals.assign(expected.end() - static_cast<std::ptrdiff_t>(std::min(gone, expected.size())),
                    expected.end());
    expected.resize(expected.size() - removals.size());
    for (const auto& old : removals) {
      if (random() % 8 != 0) insertions.push_back(entry(old.item));
    }
    expected.insert(expected.end(), insertions.begin(), insertions.end());
    const Entries before = all_of(list);
    const RankedList changed = list.with(removals, insertions, order);
    EXPECT_EQ(all_of(list), before);
    list = changed;
    std::sort(expected.begin(), expected.end(), order);
    ASSERT_EQ(all_of(list), expected) << "round " << round;
    ASSERT_EQ(list.size(), expected.size());
  }
}

TEST(RankedListTest, EqualScoresComeInNaturalOrder) {
  state::NameTable names;
  Entries entries;
  const std::vector<std::string> ids{"movie:10", "movie:9", "video:9",         "movie:99999999999",
                                     "b",        "a",       "movie:5000000000"};
  for (const auto& id : ids) {
    entries.push_back(
        {1, 0,
         static_cast<std::uint32_t>(std::min<std::uint64_t>(state::natural_of(id), UINT32_MAX)),
         names.intern(id)});
  }
  std::vector<std::string> got;
  for (const auto item : RankedList::of(entries, RankedOrder(names)).top(10)) {
    got.emplace_back(names.name(item));
  }
  EXPECT_EQ(got, (std::vector<std::string>{"movie:9", "video:9", "movie:10", "movie:5000000000",
                                           "movie:99999999999", "a", "b"}));
}

// Every list against the items picked and sorted plainly.
void expect_lists_complete(const RankerWorld& world) {
  const auto lists = world.lists().snapshot();
  for (std::size_t m = 0; m < kMetrics; ++m) {
    for (std::uint32_t kind = 0; kind <= world.names.kinds.size(); ++kind) {
      for (std::uint32_t genre = 0; genre <= world.names.categories.size(); ++genre) {
        const auto k = kind == world.names.kinds.size() ? state::kAnyName : kind;
        const auto g = genre == world.names.categories.size() ? state::kAnyName : genre;
        Entries expected;
        world.catalog().for_each(0, [&](const state::CatalogItem& item) {
          const auto& in = item.categories;
          if (item.item.hidden || (k != state::kAnyName && item.kind != k)) return true;
          if (g != state::kAnyName && std::find(in.begin(), in.end(), g) == in.end()) return true;
          const auto c = world.counts(item.index);
          RankedEntry entry{0, 0, static_cast<std::uint32_t>(item.natural), item.index};
          switch (static_cast<Metric>(m)) {
            case Metric::kPopular: entry.score = c.popularity(), entry.tie = c.engagement(); break;
            case Metric::kTopRated:
              if (c.average_rating() < 3.0) return true;
              entry.score = c.average_rating(), entry.tie = double(c.raters);
              break;
            case Metric::kMostWatched:
              entry.score = double(c.watchers), entry.tie = c.average_rating();
              break;
            case Metric::kTrending:
              entry.score = c.trend[0].rank_key();
              if (!std::isfinite(entry.score)) return true;
              break;
            case Metric::kRecent: entry.score = double(item.appeared); break;
          }
          expected.push_back(entry);
          return true;
        });
        std::sort(expected.begin(), expected.end(), RankedOrder(world.items));
        ASSERT_EQ(all_of(lists->list(static_cast<Metric>(m), k, g)), expected)
            << "metric " << m << " kind " << k << " genre " << g;
      }
    }
  }
}

void churn(RankerWorld& world, std::mt19937& random) {
  const std::vector<std::string> genres{"Action", "Drama", "Comedy"};
  const std::string kind = random() % 3 == 0 ? "video" : "movie";
  const std::string item = kind + ":" + std::to_string(random() % 40);
  const std::string user = "u" + std::to_string(random() % 10);
  world.now += 60'000;
  switch (random() % 9) {
    case 0: {
      Item fresh = world.put(item, {genres[random() % 3]}, {"t"});
      fresh.hidden = random() % 4 == 0;
      if (random() % 2 == 0) fresh.categories.push_back("Horror");
      world.put(fresh);
      break;
    }
    case 1:
      if (world.index(item) != state::kNoItem) world.erase(item);
      break;
    case 2: world.like(user, item); break;
    case 3: world.unlike(user, item); break;
    case 4: world.watch(user, item); break;
    case 5: world.view(user, item); break;
    case 6: world.share(user, item); break;
    default: world.rate(user, item, double(random() % 9 + 2) / 2); break;
  }
}

TEST(RankedListsTest, UpdatesGiveWhatAPlainSortGives) {
  RankerWorld world;
  std::mt19937 random(11);
  for (int i = 0; i < 1500; ++i) {
    churn(world, random);
    if (i % 100 == 0) expect_lists_complete(world);
  }
  expect_lists_complete(world);
}

TEST(RankedListsTest, ARebuildGivesTheSameAsUpdates) {
  RankerWorld world;
  std::mt19937 random(12);
  for (int i = 0; i < 800; ++i) churn(world, random);
  world.rebuild();
  expect_lists_complete(world);
  for (int i = 0; i < 200; ++i) churn(world, random);
  expect_lists_complete(world);
}

TEST(RankedListsTest, ASnapshotStaysAsItWas) {
  RankerWorld world;
  world.put("movie:1");
  world.put("movie:2");
  world.watch("u", "movie:1");
  const auto before = world.lists().snapshot();
  world.watch("u", "movie:2");
  world.watch("v", "movie:2");
  EXPECT_EQ(before->list(Metric::kMostWatched).top(1).front(), world.index("movie:1"));
  EXPECT_EQ(world.lists().snapshot()->list(Metric::kMostWatched).top(1).front(),
            world.index("movie:2"));
  EXPECT_TRUE(before->list(Metric::kPopular, 99, 98).empty());
}

}  // namespace
}  // namespace millrace::processors
