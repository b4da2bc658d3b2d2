#include "state/pages.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "state/page_codec.h"

namespace millrace::state {
namespace {

void expect_sound(const Person& person) {
  ItemNumber last = 0;
  bool any = false;
  for (std::size_t p = 0; p < person.pages.size(); ++p) {
    const RowPageRef& ref = person.pages[p];
    ASSERT_GT(ref.page->size(), 0u);
    ASSERT_LE(ref.page->size(), kMaxRowsPerPage);
    ASSERT_TRUE(p > 0 || ref.first_item == 0);
    ASSERT_EQ(ref.page->rows().size(), ref.page->size());
    for (const ItemRow& row : ref.page->rows()) {
      ASSERT_GE(row.item, ref.first_item);
      ASSERT_TRUE(p + 1 == person.pages.size() || row.item < person.pages[p + 1].first_item);
      ASSERT_TRUE(!any || row.item > last);
      last = row.item;
      any = true;
    }
  }
}

ItemRow row_with_order(ItemNumber item, std::uint32_t order) {
  ItemRow row;
  row.item = item;
  row.order = order;
  return row;
}

TEST(Pages, RowsBehaveAsAMap) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    const ItemNumber range = seed % 2 == 0 ? 200 : 100'000;
    Person person;
    std::map<ItemNumber, std::int32_t> model;
    for (int i = 0; i < 2000; ++i) {
      const auto item = static_cast<ItemNumber>(seed % 3 == 0 ? i / 2 : random() % range);
      ItemRow row = person.row(item);
      ASSERT_EQ(row.item, item);
      ASSERT_EQ(row.rating_centi, model[item]);
      row.rating_centi = model[item] = i;
      person.put(row);
      const auto asked = static_cast<ItemNumber>(random() % range);
      const auto found = person.find(asked);
      ASSERT_EQ(found.has_value(), model.contains(asked));
      if (found) {
        ASSERT_EQ(found->rating_centi, model[asked]);
      }
    }
    expect_sound(person);
    std::map<ItemNumber, std::int32_t> rows;
    person.for_each_row([&rows](const ItemRow& row) { rows[row.item] = row.rating_centi; });
    EXPECT_EQ(rows, model);
    std::size_t packed = 0;
    for (const RowPageRef& ref : person.pages) packed += ref.page->packed().size();
    EXPECT_GT(person.memory_bytes(), packed);
  }
}

TEST(Pages, AscendingItemsFillTheirPages) {
  Person person;
  for (ItemNumber item = 0; item < 10 * kMaxRowsPerPage; ++item) person.put(person.row(item));
  EXPECT_EQ(person.pages.size(), 10u);
}

TEST(Pages, AChangeLeavesCopiesAlone) {
  Person first;
  for (ItemNumber item = 0; item < 100; ++item) first.put(row_with_order(item, 1));
  const Person copy = first;
  const auto shared = first.pages[1].page;
  first.put(row_with_order(first.pages[0].first_item, 2));
  EXPECT_EQ(copy.find(0)->order, 1u);
  EXPECT_EQ(first.find(0)->order, 2u);
  EXPECT_EQ(first.pages[1].page, copy.pages[1].page) << "untouched pages stay shared";
  EXPECT_NE(first.pages[0].page, copy.pages[0].page);
}

TEST(Pages, CountsStaySortedWithoutZeros) {
  TypeCounts counts;
  add_count(counts, 7, 2);
  add_count(counts, 3, 1);
  add_count(counts, 9, 1);
  add_count(counts, 7, -2);
  add_count(counts, 8, -1);
  EXPECT_EQ(counts, (TypeCounts{{3, 1}, {9, 1}}));
  EXPECT_EQ(count_of(counts, 9), 1u);
  EXPECT_EQ(count_of(counts, 7), 0u);
}

ItemRow random_row(std::mt19937_64& random, std::int32_t epoch) {
  ItemRow row;
  row.flags = static_cast<std::uint8_t>(random() % 32);
  row.rating_centi = static_cast<std::int32_t>(random() % 500);
  add_count(row.counts, static_cast<std::uint32_t>(random() % 5), 1 + random() % 9);
  for (auto& share : row.trend) {
    share.epoch = epoch;
    share.newer = static_cast<std::int64_t>(random() % 1000) - 300;
    share.older = static_cast<std::int64_t>(random() % 1000);
  }
  return row;
}

TEST(Contribute, WhatWasAddedCanBeTakenAway) {
  std::mt19937_64 random(4);
  ItemStats stats;
  std::vector<ItemRow> rows;
  for (int i = 0; i < 200; ++i) {
    rows.push_back(random_row(random, 10));
    contribute(stats, rows.back(), 1);
  }
  EXPECT_GT(stats.likers, 0u);
  std::shuffle(rows.begin(), rows.end(), random);
  for (const ItemRow& row : rows) contribute(stats, row, -1);
  ItemStats nothing;
  for (auto& sum : nothing.trend) sum.epoch = 10;
  EXPECT_EQ(stats, nothing);
}

TEST(Contribute, ForgottenEpochsAreLeftOutBothWays) {
  std::mt19937_64 random(5);
  const ItemRow old = random_row(random, 3);
  ItemStats stats;
  contribute(stats, old, 1);
  contribute(stats, random_row(random, 8), 1);
  const ItemStats before = stats;
  contribute(stats, old, -1);
  EXPECT_EQ(stats.trend, before.trend);
}

TEST(Contribute, ASumReachesBeyond64Bits) {
  ItemRow row;
  row.trend[0] = {1, INT64_MAX, 0};
  ItemStats stats;
  for (int i = 0; i < 4; ++i) contribute(stats, row, 1);
  EXPECT_EQ(stats.trend[0].newer, Wide{INT64_MAX} * 4);
  PageEncoder encoder;
  ItemChunk chunk;
  chunk.items[3] = stats;
  const auto back = decode_item_chunk(encoder.item_chunk(chunk));
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)->items, chunk.items);
}

TEST(Pages, ItemsOfATypeSinceATimeAreFound) {
  Person person;
  for (ItemNumber item = 0; item < 200; ++item) {
    ItemRow row;
    row.item = item;
    row.flags = static_cast<std::uint8_t>(item % 32);
    row.last_time = 1'000 + item % 7;
    add_count(row.counts, 1 + item % 5, 1 + item);
    if (item % 3 == 0) add_count(row.counts, 70, 200);
    row.trend[0] = {static_cast<std::int32_t>(item), -5, 1 << 20};
    person.put(row);
  }
  std::vector<ItemNumber> found, wanted;
  const std::uint64_t types = 1u << 2 | 1u << 5 | 1u << (70 % 64);
  person.for_each_item_with(types, 1'004, [&](ItemNumber item) { found.push_back(item); });
  person.for_each_row([&](const ItemRow& row) {
    const bool counts = count_of(row.counts, 2) > 0 || count_of(row.counts, 5) > 0;
    if (counts && row.last_time >= 1'004) wanted.push_back(row.item);
  });
  EXPECT_EQ(found, wanted);
  EXPECT_GT(found.size(), 20u);
}

}  // namespace
}  // namespace millrace::state
