#include "processors/views/profiles.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

TEST(ProfileTest, CountsLikingsAndInterestsByName) {
  RankerWorld world;
  world.put("movie:1", {"Drama", "War"}, {"slow"});
  world.put("movie:2", {"Drama"}, {"slow", "new"});
  world.put("movie:3", {"Comedy"});
  world.rate("u", "movie:1", 3);
  world.rate("u", "movie:3", 2.5);
  world.save("u", "movie:2");
  world.view("u", "movie:2", BuiltIn::kProductView, 3);
  world.view("u", "movie:3");
  world.like("u", "movie:77");
  const auto known = world.known("u");
  const auto profile = build_profile(*known.view.person, known.index_of, world.catalog());
  const auto name = [&](const char* text) { return *world.names.categories.find(text); };
  const auto tag = [&](const char* text) { return *world.names.tags.find(text); };
  EXPECT_EQ(profile.liked, 1u);
  EXPECT_EQ(profile.unresolved, 1u);
  EXPECT_EQ(profile.categories,
            (std::vector<state::NameWeight>{{name("Drama"), 1, 1}, {name("War"), 1, 0}}));
  EXPECT_EQ(profile.tags,
            (std::vector<state::NameWeight>{{tag("slow"), 0, 1}, {tag("new"), 0, 1}}));
}

TEST(ProfileTest, KeptUpRowByRowItEqualsAFullBuild) {
  RankerWorld world;
  std::mt19937 random(3);
  const auto names = [&](const char* prefix) {
    std::vector<std::string> out;
    for (int i = 0; i < 5; ++i) {
      if (random() % 2 == 0) out.push_back(prefix + std::to_string(i));
    }
    return out;
  };
  for (int i = 0; i < 60; ++i) world.put("movie:" + std::to_string(i), names("g"), names("t"));
  state::Profile kept;
  kept.catalog_offset = world.offset;
  int rebuilt = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string item = "movie:" + std::to_string(random() % 80);  // some are not there
    if (random() % 50 == 0) world.put(item, names("g"), names("t"));
    if (random() % 50 == 0 && world.index(item) != state::kNoItem) world.erase(item);
    const auto was = world.known("u");
    switch (random() % 6) {
      case 0: world.like("u", item); break;
      case 1: world.unlike("u", item); break;
      case 2: world.save("u", item); break;
      case 3: world.view("u", item, BuiltIn::kProductView); break;
      default: world.rate("u", item, double(random() % 5 + 1)); break;
    }
    const auto is = world.known("u");
    state::ItemRow before, after;
    is.view.person->for_each_row([&](const state::ItemRow& row) {
      if (is.index_of(row.item) != world.index(item)) return;
      after = row;
      if (was.view.person) before = was.view.person->row(row.item);
    });
    const auto full = build_profile(*is.view.person, is.index_of, world.catalog());
    if (joined_with(kept, world.catalog())) {
      kept = update_profile(kept, before, after, world.index(item), world.catalog(),
                            is.view.person->events);
    } else {
      kept = full;
      ++rebuilt;
    }
    ASSERT_EQ(kept, full) << "event " << i;
    ASSERT_TRUE(is_fresh(kept, *is.view.person, world.catalog()));
  }
  EXPECT_GT(rebuilt, 10);
  EXPECT_LT(rebuilt, 500);
}

TEST(ProfileTest, IsFreshUntilWhatItRestsOnChanges) {
  RankerWorld world;
  world.put("movie:1", {"Drama"});
  world.rate("u", "movie:1", 4);
  const auto fresh = [&](const state::Profile& profile) {
    return is_fresh(profile, *world.known("u").view.person, world.catalog());
  };
  const auto build = [&] {
    const auto known = world.known("u");
    return build_profile(*known.view.person, known.index_of, world.catalog());
  };
  const auto first = build();
  world.put("movie:2", {"War"});
  EXPECT_TRUE(fresh(first)) << "a new item is nothing to a profile that found all of its own";
  Item titled = world.put("movie:1", {"Drama"});
  EXPECT_TRUE(fresh(first));
  world.put("movie:1", {"War"});
  EXPECT_FALSE(fresh(first));
  world.rate("u", "movie:9", 4);
  const auto second = build();
  EXPECT_TRUE(fresh(second));
  world.put("movie:9", {"War"});
  EXPECT_FALSE(fresh(second)) << "the new item may be the one that was missing";
  const auto third = build();
  EXPECT_EQ(third.unresolved, 0u);
  world.erase("movie:1");
  EXPECT_FALSE(fresh(third));
}

}  // namespace
}  // namespace millrace::processors
