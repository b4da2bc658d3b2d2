#include "state/attribution.h"

#include <gtest/gtest.h>

#include "tests/state/store_fixture.h"

namespace millrace::state {
namespace {

constexpr std::int32_t kDay = 24;
constexpr std::int32_t kFirst = 20'000 * kDay;
constexpr auto kServed = &AttributionCounts::served;
constexpr auto kClicked = &AttributionCounts::clicked;

void count(StoreHome& home, std::int32_t hour, std::uint64_t AttributionCounts::*step) {
  home->attribution().count(hour, "feed", step);
  ++home->applied().next_offset;
}

TEST(Attribution, IsKeptByHourAndAlgorithm) {
  Attribution all;
  all.count(kFirst, "feed", kServed);
  all.count(kFirst, "popular", kServed);
  all.count(kFirst + 1, "feed", kServed);
  all.count(kFirst, "feed", kClicked);
  const std::vector<AttributionRow> first = {{kFirst, "feed", {1, 1, 0}},
                                             {kFirst, "popular", {1, 0, 0}}};
  EXPECT_EQ(all.read(kFirst, kFirst + 1), first);
  EXPECT_EQ(all.read(kFirst, kFirst + 2).size(), 3u);
  EXPECT_EQ(all.read(kFirst + 2, kFirst + 9).size(), 0u);
}

TEST(Attribution, OutlivesARestartAndIsInTheDigest) {
  StoreHome home;
  count(home, kFirst, kServed);
  home->publish();
  home.commit();
  const auto before = home->digest().second;
  count(home, kFirst, kClicked);
  count(home, kFirst + kDay, kServed);
  home->publish();
  home.commit();
  EXPECT_NE(home->digest().second, before);
  EXPECT_EQ(home->scan_digest(), home->digest().second);
  const auto rows = home->attribution().read(0, INT32_MAX);
  ASSERT_EQ(rows.size(), 2u);
  home.reopen();
  EXPECT_EQ(home->attribution().read(0, INT32_MAX), rows);
  count(home, kFirst, kServed);
  home->publish();
  home.commit();
  EXPECT_EQ(home->scan_digest(), home->digest().second);
}

TEST(Attribution, TheLastDaysMinutesAreKeptApart) {
  StoreHome home;
  const auto count = [&](std::int32_t minute) {
    home->recent_attribution().count(minute, {}, kServed);
    ++home->applied().next_offset;
  };
  constexpr std::int32_t kHour = 60;
  count(kFirst * kHour + 7);
  count(kFirst * kHour + 8);
  count((kFirst + 1) * kHour);
  home->publish();
  home.commit();
  const auto rows = home->recent_attribution().read(0, INT32_MAX);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(home->recent_attribution().read(kFirst * kHour + 8, INT32_MAX).size(), 2u);
  EXPECT_TRUE(home->attribution().read(0, INT32_MAX).empty());
  EXPECT_EQ(home->scan_digest(), home->digest().second);
  home.reopen();
  EXPECT_EQ(home->recent_attribution().read(0, INT32_MAX), rows);
  count((kFirst + kByMinute.rows) * kHour);
  home->publish();
  home.commit();
  EXPECT_EQ(home->recent_attribution().read(0, INT32_MAX).size(), 2u) << "the first hour has gone";
  EXPECT_EQ(home->scan_digest(), home->digest().second);
}

TEST(Attribution, OldDaysGo) {
  StoreHome home;
  count(home, kFirst, kServed);
  count(home, kFirst + kDay, kServed);
  home->publish();
  home.commit();
  count(home, kFirst + kAttributionDays * kDay, kServed);
  count(home, kFirst + 1, kClicked);
  home->publish();
  home.commit();
  const auto rows = home->attribution().read(0, INT32_MAX);
  ASSERT_EQ(rows.size(), 2u)
      << "the first day has gone, and what comes late does not bring it back";
  EXPECT_EQ(rows[0].hour, kFirst + kDay);
  EXPECT_EQ(home->scan_digest(), home->digest().second);
  home.reopen();
  EXPECT_EQ(home->attribution().read(0, INT32_MAX), rows);
}

}  // namespace
}  // namespace millrace::state
