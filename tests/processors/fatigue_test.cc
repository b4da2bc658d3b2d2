#include "processors/views/fatigue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::processors {
namespace {

using Items = std::vector<state::ItemIndex>;

TEST(Fatigue, CountsWhatIsShownUntilItIsActedOn) {
  Fatigue fatigue(2, std::size_t{1} << 20);
  fatigue.shown(1, "ann", Items{3, 4}, 10);
  fatigue.shown(1, "ann", Items{4, state::kNoItem}, 20);
  const std::vector<Fatigue::Shown> expected = {{3, 1, 10}, {4, 2, 20}};
  EXPECT_EQ(fatigue.of(1, "ann"), expected);
  EXPECT_TRUE(fatigue.of(0, "ann").empty()) << "another partition's";
  fatigue.acted(1, "ann", 4);
  fatigue.acted(1, "bob", 4);
  EXPECT_EQ(fatigue.of(1, "ann").size(), 1u);
  fatigue.forget(1, "ann");
  EXPECT_TRUE(fatigue.of(1, "ann").empty());
  EXPECT_EQ(fatigue.people(), 0u);
  EXPECT_EQ(fatigue.memory_bytes(), 0u);
}

TEST(Fatigue, KeepsTheLastItemsOfAPerson) {
  Fatigue fatigue(1, std::size_t{1} << 20);
  for (state::ItemIndex item = 0; item < 200; ++item) fatigue.shown(0, "ann", Items{item}, item);
  const auto kept = fatigue.of(0, "ann");
  ASSERT_EQ(kept.size(), Fatigue::kMostItems);
  EXPECT_EQ(kept.front().item, 200 - Fatigue::kMostItems);
}

TEST(Fatigue, WhoWasShownSomethingLongestAgoGoesFirst) {
  constexpr std::size_t kBytes = 64 << 10;
  Fatigue fatigue(1, kBytes);
  for (int person = 0; person < 5'000; ++person) {
    fatigue.shown(0, "p" + std::to_string(person), Items{1, 2, 3}, person);
    fatigue.shown(0, "loyal", Items{1}, person);
  }
  EXPECT_LE(fatigue.memory_bytes(), kBytes);
  EXPECT_GT(fatigue.people(), 50u);
  EXPECT_EQ(fatigue.dropped() + fatigue.people(), 5'001u);
  EXPECT_EQ(fatigue.of(0, "loyal").front().times, 5'000u);
  EXPECT_TRUE(fatigue.of(0, "p0").empty());
  EXPECT_FALSE(fatigue.of(0, "p4999").empty());
}

}  // namespace
}  // namespace millrace::processors
