#include "state/page_codec.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "state/history.h"

// Golden files are stored pages of an earlier program: they are never written anew. A page kind
// without its file fails; MILLRACE_WRITE_GOLDEN=1 writes those that are not there.

namespace millrace::state {
namespace {

namespace fs = std::filesystem;

fs::path golden_path(const std::string& name) {
  return fs::path(MILLRACE_SOURCE_DIR) / "tests/state/golden" / (name + ".bin");
}

// The golden file's bytes, after checking that today's writer gives the same.
std::string golden(const std::string& name, std::string_view written) {
  const fs::path path = golden_path(name);
  if (!fs::exists(path) && std::getenv("MILLRACE_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << written;
  }
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(bytes, written) << name << ": today's bytes differ from the stored form";
  // A later writer may add fields: number 500, a varint.
  return bytes + std::string("\xa0\x1f\x07", 3);
}

ItemRow example_row(ItemNumber item) {
  ItemRow row;
  row.item = item;
  row.flags = kLiked | kRated;
  row.rating_centi = 450;
  row.order = item + 1;
  row.last_time = 1'700'000'000'000 - item;
  add_count(row.counts, 1, 3);
  add_count(row.counts, 14, 1);
  row.trend[0] = {4919, 123'456'789, -5};
  row.trend[1] = {175, 1 << 20, 0};
  return row;
}

Person example_person(int items) {
  Person person;
  add_count(person.counts, 1, 3 * items);
  add_count(person.counts, 14, items);
  person.events = 4u * static_cast<std::uint64_t>(items);
  for (ItemNumber item = 0; item < static_cast<ItemNumber>(items); ++item) {
    person.put(example_row(item * 3));
    person.sequence.push_back(item * 3);
  }
  person.next_order = 100;
  person.history_first = 2;
  person.history_next = 5;
  person.history_first_log_time = 1'699'999'999'999;
  person.history_tail = "tail";
  return person;
}

void expect_same_head(const Person& a, const Person& b) {
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.next_order, b.next_order);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.next_page, b.next_page);
  EXPECT_EQ(a.history_tail, b.history_tail);
  EXPECT_EQ(a.history_first, b.history_first);
  EXPECT_EQ(a.history_next, b.history_next);
  EXPECT_EQ(a.history_first_log_time, b.history_first_log_time);
  EXPECT_EQ(a.served, b.served);
  EXPECT_EQ(a.trials, b.trials);
  ASSERT_EQ(a.pages.size(), b.pages.size());
  for (std::size_t i = 0; i < a.pages.size(); ++i) {
    EXPECT_EQ(a.pages[i].first_item, b.pages[i].first_item);
    EXPECT_EQ(a.pages[i].number, b.pages[i].number);
  }
}

TEST(PageCodec, SmallPerson) {
  PageEncoder encoder;
  const Person person = example_person(3);
  const auto back = decode_person(golden("person_small", encoder.person(person)));
  ASSERT_TRUE(back);
  expect_same_head(*back, person);
  EXPECT_EQ(back->pages[0].page->rows(), person.pages[0].page->rows());
}

TEST(PageCodec, LargePersonKeepsPagesApart) {
  PageEncoder encoder;
  const Person person = example_person(100);
  const auto back = decode_person(golden("person_large", encoder.person(person)));
  ASSERT_TRUE(back);
  expect_same_head(*back, person);
  EXPECT_EQ(back->pages[0].page, nullptr);
  const auto page = decode_row_page(golden("row_page", encoder.row_page(*person.pages[1].page)));
  ASSERT_TRUE(page);
  EXPECT_EQ((*page)->rows(), person.pages[1].page->rows());
}

TEST(PageCodec, FullPageFitsFourKilobytes) {
  PageEncoder encoder;
  Person person = example_person(static_cast<int>(kMaxRowsPerPage));
  person.history_tail.assign(kHistoryPageBytes, 'x');
  person.sequence.assign(50, 99'999);
  person.served.assign(kServedKept, {UINT64_MAX, 500'000, "collaborative", true, true});
  EXPECT_LE(encoder.person(person).size(), 4096u);
}

TEST(PageCodec, WhatAPersonWasShown) {
  PageEncoder encoder;
  Person person;
  person.served = {{7, 497'222, "feed", true, false},
                   {UINT64_MAX, 497'223, "popular", false, true}};
  const auto back = decode_person(golden("person_shown", encoder.person(person)));
  ASSERT_TRUE(back);
  expect_same_head(*back, person);
  person.served.resize(kServedKept + 1);
  EXPECT_FALSE(decode_person(encoder.person(person)));
}

TEST(PageCodec, APersonInExperiments) {
  PageEncoder encoder;
  Person person;
  person.served = {{7, 497'222, "feed", true, false, UINT64_MAX, true, {4, 9, UINT32_MAX}}};
  person.trials = {{UINT64_MAX, 1, 1'790'000'000'000, 9, 2, 1, {3, 4}}, {5, 0, 1, 1, 0, 0, {}}};
  const auto back = decode_person(golden("person_in_experiments", encoder.person(person)));
  ASSERT_TRUE(back);
  expect_same_head(*back, person);
  person.trials.resize(kTrialsKept + 1);
  EXPECT_FALSE(decode_person(encoder.person(person)));
}

TEST(PageCodec, ExperimentSums) {
  PageEncoder encoder;
  const ExperimentSums sums = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, UINT64_MAX}, {}};
  EXPECT_EQ(decode_experiment(golden("experiment_sums", encoder.experiment(sums))), sums);
}

TEST(PageCodec, AttributionDay) {
  PageEncoder encoder;
  const std::vector<AttributionRow> rows = {{497'222, "feed", {3, 2, 1}},
                                            {497'223, "popular", {1, 0, 0}}};
  EXPECT_EQ(decode_attribution_day(golden("attribution_day", encoder.attribution_day(rows))), rows);
  EXPECT_FALSE(decode_attribution_day(std::string("\x0a\x01\x02", 3))) << "uneven columns";
}

TEST(PageCodec, EmptyPersonIsLegal) {
  PageEncoder encoder;
  const auto back = decode_person(encoder.person(Person{}));
  ASSERT_TRUE(back);
  expect_same_head(*back, Person{});
}

TEST(PageCodec, ItemChunk) {
  PageEncoder encoder;
  ItemChunk chunk;
  ItemStats& stats = chunk.items[2];
  contribute(stats, example_row(7), 1);
  stats.watchers = 9;
  stats.trend[1].older = -(Wide{1} << 100);
  const auto back = decode_item_chunk(golden("item_chunk", encoder.item_chunk(chunk)));
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)->items, chunk.items);
  stats.sold = 4;
  EXPECT_EQ(decode_item_chunk(encoder.item_chunk(chunk)).value()->items, chunk.items);
}

TEST(PageCodec, DictionaryPage) {
  PageEncoder encoder;
  const std::string_view names[] = {"movie:1", "", "video:\xc3\xa9"};
  const auto back = decode_dictionary_page(golden("dictionary", encoder.dictionary_page(names)));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, (std::vector<std::string>{"movie:1", "", "video:\xc3\xa9"}));
}

TEST(PageCodec, DuplicateBlock) {
  PageEncoder encoder;
  const Duplicates::Entry entries[] = {
      {{1, 2}, {10, 1000, Verdict::kApplied}},
      {identity_of("ann", "web", "e1"), {9, 999, Verdict::kDeadLetter}},
  };
  const auto back = decode_duplicates(golden("duplicates", encoder.duplicates(entries)));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*back)[i].identity, entries[i].identity);
    EXPECT_EQ((*back)[i].first.offset, entries[i].first.offset);
    EXPECT_EQ((*back)[i].first.log_time, entries[i].first.log_time);
    EXPECT_EQ((*back)[i].first.verdict, entries[i].first.verdict);
  }
}

TEST(PageCodec, DeadLetter) {
  PageEncoder encoder;
  const DeadLetter letter{5, 1000, "no such type", std::string("\0\xff", 2), "ann"};
  const auto back = decode_dead_letter(golden("dead_letter", encoder.dead_letter(letter)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->offset, 5);
  EXPECT_EQ(back->log_time, 1000);
  EXPECT_EQ(back->reason, letter.reason);
  EXPECT_EQ(back->record, letter.record);
  EXPECT_EQ(back->user, "ann");
}

TEST(PageCodec, Profile) {
  PageEncoder encoder;
  CatalogNames names;
  Profile profile;
  profile.catalog_offset = 7;
  profile.events = 8;
  profile.liked = 2;
  profile.categories = {{names.categories.intern("Drama"), 2, 1},
                        {names.categories.intern("Comedy"), 0, -1}};
  profile.tags = {{names.tags.intern("slow"), 0, 3}};
  const std::string bytes = golden("profile", encoder.profile(profile, names));
  EXPECT_EQ(**decode_profile(bytes, names), profile);
  CatalogNames other;  // of another process: numbers differ, names do not
  other.categories.intern("Comedy");
  const auto back = *decode_profile(bytes, other);
  ASSERT_EQ(back->categories.size(), 2u);
  EXPECT_EQ(other.categories.name(back->categories[0].name), "Comedy");
  EXPECT_EQ(back->categories[0].interest, -1);
}

TEST(PageCodec, Position) {
  AppliedRow row;
  row.applied = {65536, 0xfedcba9876543210, 1'700'000'000'000, 12};
  row.ids = 99;
  row.ids_floor = {3, -4};
  row.digest = {1, 2};
  const auto back = decode_applied(golden("applied", encode(row)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->applied, row.applied);
  EXPECT_EQ(back->ids, 99u);
  EXPECT_EQ(back->ids_floor.sequence, 3u);
  EXPECT_EQ(back->ids_floor.log_time, -4);
  EXPECT_EQ(back->digest, row.digest);
}

TEST(PageCodec, HistoryPage) {
  Person person;
  Interaction told;
  told.type_number = 14;
  told.event.time = 900;
  told.event.value_centi = 0;
  told.event.duration_s = 7;
  told.event.mood = "calm";
  told.event.mood_intensity = 2;
  told.event.session = "s";
  told.event.context = "{}";
  told.event.context_is_object = true;
  told.event.notes = "n";
  told.event.device = "d";
  told.event.recommendation_id = "r";
  append_to_history(person, 3, 1000, view_of(told), 4);
  golden("history", person.history_tail);
  HistoryGatherer gatherer({});
  ASSERT_TRUE(gatherer.add_page(person.history_tail));
  ASSERT_EQ(gatherer.entries.size(), 1u);
  EXPECT_EQ(gatherer.entries[0].offset, 3);
  EXPECT_EQ(gatherer.entries[0].log_time, 1000);
  EXPECT_EQ(gatherer.entries[0].event, told.event);
  EXPECT_EQ(gatherer.entries[0].type, 14u);
  EXPECT_EQ(gatherer.numbers[0], 4u);
}

TEST(PageCodec, BrokenBytesAreCorrupt) {
  PageEncoder encoder;
  const std::string head(encoder.person(example_person(3)));
  EXPECT_EQ(decode_person(head.substr(0, head.size() - 3)).error().code, Code::kCorrupt);
  EXPECT_FALSE(decode_person("\xff\xff\xff"));
  EXPECT_FALSE(decode_row_page(std::string("\x0a\x01\x01", 3))) << "uneven columns";
  EXPECT_FALSE(decode_applied("")) << "no digest";
  EXPECT_FALSE(decode_duplicates(std::string("\x0a\x01x", 3)));
}

}  // namespace
}  // namespace millrace::state
