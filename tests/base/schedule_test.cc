#include "base/schedule.h"

#include <gtest/gtest.h>

#include "schemas/rfc3339.h"

namespace millrace {
namespace {

std::string next(std::string_view fields, std::string_view after) {
  const auto schedule = Schedule::cron(fields);
  if (!schedule) return schedule.error().detail;
  return rfc3339(schedule->next(*parse_rfc3339(after)));
}

TEST(Schedule, IntervalsCountFromTheLastTime) {
  EXPECT_EQ(Schedule().next(5), Schedule::kNever);
  EXPECT_EQ(Schedule::every(0).next(5), Schedule::kNever);
  EXPECT_EQ(Schedule::every(100).next(5), 105);
}

TEST(Schedule, CronNamesMinutesInUtc) {
  const char* now = "2026-11-30T10:20:30Z";  // a Monday
  EXPECT_EQ(next("* * * * *", now), "2026-11-30T10:21:00.000Z");
  EXPECT_EQ(next("20 * * * *", now), "2026-11-30T11:20:00.000Z");
  EXPECT_EQ(next("20 * * * *", "2026-11-30T10:19:59.999Z"), "2026-11-30T10:20:00.000Z");
  EXPECT_EQ(next("*/15 * * * *", now), "2026-11-30T10:30:00.000Z");
  EXPECT_EQ(next("5/20 9-11 * * *", now), "2026-11-30T10:25:00.000Z");
  EXPECT_EQ(next("0 3 * * *", now), "2026-12-01T03:00:00.000Z");
  EXPECT_EQ(next(" 30  2 1,15 * * ", now), "2026-12-01T02:30:00.000Z");
  EXPECT_EQ(next("0 0 * jan *", now), "2027-01-01T00:00:00.000Z");
  EXPECT_EQ(next("0 12 * * SUN", now), "2026-12-06T12:00:00.000Z");
  EXPECT_EQ(next("0 12 * * 7", now), "2026-12-06T12:00:00.000Z");
  EXPECT_EQ(next("0 0 29 2 *", now), "2028-02-29T00:00:00.000Z");
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00.000Z");
  EXPECT_EQ(next("0 12 10 * wed", now), "2026-12-02T12:00:00.000Z") << "either day will do";
  EXPECT_EQ(next("0 12 */2 * wed", now), "2026-12-09T12:00:00.000Z") << "both where one is *";
}

TEST(Schedule, WhatIsNoCronSaysWhichField) {
  for (const auto& [fields, field] : {std::pair{"60 * * * *", "minute"},
                                      {"* 24 * * *", "hour"},
                                      {"* * 0 * *", "day of the month"},
                                      {"* * * 13 *", "month"},
                                      {"* * * * 8", "day of the week"},
                                      {"5-1 * * * *", "minute"},
                                      {"*/0 * * * *", "minute"},
                                      {"1, * * * *", "minute"},
                                      {"-1 * * * *", "minute"},
                                      {"* * * foo *", "month"},
                                      {"* * * *", "must be five fields"},
                                      {"0 0 31 2 *", "must name a day"}}) {
    const auto bad = Schedule::cron(fields);
    ASSERT_FALSE(bad.has_value()) << fields;
    EXPECT_EQ(bad.error().detail.find(field), 0u) << bad.error().detail;
  }
}

}  // namespace
}  // namespace millrace
