#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "schemas/interaction_table.h"
#include "state/digest.h"
#include "state/item_cells.h"
#include "state/item_index.h"

namespace millrace::state {
namespace {

TEST(NameTable, GivesDenseStableIndexes) {
  NameTable table;
  EXPECT_EQ(table.find("movie:1"), std::nullopt);
  EXPECT_EQ(table.intern("movie:1"), 0u);
  EXPECT_EQ(table.intern(""), 1u);
  EXPECT_EQ(table.intern("movie:1"), 0u);
  EXPECT_EQ(table.find("movie:1"), 0u);
  EXPECT_EQ(table.name(0), "movie:1");
  EXPECT_EQ(table.size(), 2u);
  EXPECT_GT(table.memory_bytes(), 0u);
}

TEST(NameTable, ThreadsAgree) {
  NameTable table;
  constexpr std::uint32_t kNames = 5000;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&table] {
        for (std::uint32_t i = 0; i < kNames; ++i) {
          const std::string name = "item " + std::to_string(i);
          if (table.name(table.intern(name)) != name) ADD_FAILURE() << name;
        }
      });
    }
  }
  EXPECT_EQ(table.size(), kNames);
  for (std::uint32_t i = 0; i < kNames; ++i) EXPECT_EQ(table.find(table.name(i)), i);
}

TEST(ItemCells, ReadersSeeWholeCells) {
  ItemCells cells;
  std::atomic<bool> done{false};
  std::jthread reader([&] {
    while (!done) {
      ItemCounts counts;
      cells.add_to(counts, 3);
      if (counts.likes != counts.saves || counts.likes != counts.raters) ADD_FAILURE();
    }
  });
  for (std::uint32_t i = 1; i < 100'000; ++i) {
    ItemStats stats;
    stats.likers = stats.savers = stats.raters = i;
    cells.store(3, stats);
  }
  done = true;
}

TEST(ItemCells, AddsPartitions) {
  ItemStats stats;
  add_count(stats.counts, static_cast<std::uint32_t>(BuiltIn::kView), 3);
  add_count(stats.counts, static_cast<std::uint32_t>(BuiltIn::kProductView), 2);
  add_count(stats.counts, static_cast<std::uint32_t>(BuiltIn::kShare), 1);
  stats.likers = 4;
  stats.watchers = 10;
  stats.raters = 2;
  stats.rating_sum_centi = 700;
  ItemCells one, other;
  one.store(0, stats);
  other.store(2000, stats);
  other.store(0, stats);
  ItemCounts counts;
  one.add_to(counts, 0);
  other.add_to(counts, 0);
  other.add_to(counts, 99999);
  EXPECT_EQ(counts.views, 10u);
  EXPECT_EQ(counts.shares, 2u);
  EXPECT_EQ(counts.likes, 8u);
  EXPECT_DOUBLE_EQ(counts.average_rating(), 3.5);
  EXPECT_DOUBLE_EQ(counts.popularity(), 3.5 * 0.7 + 20 * 0.3);
  EXPECT_DOUBLE_EQ(counts.engagement(), 0.1 + 8 + 2.4);
}

TEST(Digest, SumsInAnyOrderAndSubtracts) {
  const Digest a = row_digest("a", "1"), b = row_digest("b", "2");
  EXPECT_NE(row_digest("ab", "c"), row_digest("a", "bc"));
  Digest ab = a, ba = b;
  ab += b;
  ba += a;
  EXPECT_EQ(ab, ba);
  ab -= a;
  EXPECT_EQ(ab, b);
  Digest zero = a;
  zero -= a;
  EXPECT_EQ(zero, Digest{});
  Digest below;
  below -= Digest{1, 0};
  EXPECT_EQ(below, (Digest{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(Digest::from_bytes(a.bytes()), a);
  EXPECT_EQ(Digest::from_bytes("short"), Digest{});
  EXPECT_EQ((Digest{0x1f, 0xabc}).text(), "0000000000000abc000000000000001f");
}

// Stored and compared between nodes: must never change.
TEST(Digest, Golden) {
  EXPECT_EQ(row_digest("key", "value").text(), "a0bc02eedef26458f4fa2ad63b6e3eeb");
}

}  // namespace
}  // namespace millrace::state
