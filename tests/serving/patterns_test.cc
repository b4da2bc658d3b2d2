#include "serving/surfaces/patterns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/json_value.h"
#include "schemas/rfc3339.h"

namespace millrace {
namespace {

state::TrackedRow row(std::uint32_t intensity, std::optional<std::int32_t> value,
                      std::int32_t weight = 0) {
  state::TrackedRow made;
  made.type = static_cast<std::uint32_t>(BuiltIn::kLike);
  made.intensity = intensity;
  if (value) made.value_centi = *value * 100;
  made.weight = weight;
  return made;
}

Json patterns_of(const std::vector<state::TrackedRow>& rows,
                 const serving::TimeZone& zone = serving::TimeZone()) {
  std::vector<state::TrackedSums> sums;
  for (const auto& each : rows) contribute(sums, each, "content", 1);
  return parse_json(serving::patterns_body(sums, zone, InteractionTable())).value();
}

TEST(TrackedPatterns, MoodGoesWithTheValueOrTheTypesWeight) {
  const auto correlation = [](const std::vector<state::TrackedRow>& rows) {
    const auto json = patterns_of(rows);
    return std::pair(json.find("patterns")->find("moodCorrelation")->text,
                     json.find("trends")->find("moodCorrelation")->text);
  };
  EXPECT_EQ(correlation({row(1, 2), row(2, 4)}).first, "null") << "two points";
  EXPECT_EQ(correlation({row(1, 2), row(1, 4), row(1, 6)}).first, "null") << "no change";
  EXPECT_NEAR(std::stod(correlation({row(1, 2), row(2, 4), row(3, 6)}).first), 1, 1e-12);
  EXPECT_EQ(correlation({row(1, 2), row(2, 4), row(3, 6)}).second, "positive");
  // By hand: deviations -1.5 -0.5 0.5 1.5 and 1.75 -0.25 0.75 -2.25.
  const auto some = correlation({row(1, 6), row(2, {}, 4), row(3, 5), row(4, 2)});
  EXPECT_NEAR(std::stod(some.first), -5.5 / std::sqrt(5 * 8.75), 1e-12);
  EXPECT_EQ(some.second, "negative");
  EXPECT_EQ(correlation({row(1, 1), row(1, 3), row(3, 1), row(3, 3)}).second, "neutral");
}

TEST(TrackedPatterns, TheFrequencyIsThatOfAllDaysFromFirstToLast) {
  const auto trend = [](const std::vector<int>& per_day) {
    std::vector<state::TrackedRow> rows;
    for (std::size_t day = 0; day < per_day.size(); ++day) {
      for (int i = 0; i < per_day[day]; ++i) {
        rows.push_back(row(1, 1));
        rows.back().created = static_cast<UnixMillis>(day) * state::kDayMs;
      }
    }
    return patterns_of(rows).find("trends")->find("interactionFrequency")->text;
  };
  EXPECT_EQ(trend({1, 9}), "stable") << "two days";
  EXPECT_EQ(trend({4, 4, 4, 4}), "stable");
  EXPECT_EQ(trend({10, 10, 11, 11}), "stable") << "12% of the mean";
  EXPECT_EQ(trend({1, 2, 3, 4}), "increasing");
  EXPECT_EQ(trend({9, 0, 0, 1}), "decreasing") << "days without any count";
}

TEST(TrackedPatterns, TheTimeOfDayIsThatOfTheZoneOnThatDay) {
  const auto time = [](const char* at, const char* zone) {
    auto made = row(1, 1);
    made.created = *parse_rfc3339(at);
    return patterns_of({made}, serving::TimeZone::named(zone).value())
        .find("patterns")
        ->find("timeOfDayPattern")
        ->text;
  };
  // Berlin's summer begins at 01:00 UTC on 2026-03-29, Kolkata is five hours and a half ahead.
  EXPECT_EQ(time("2026-01-05T15:30:00Z", "Europe/Berlin"), "afternoon");
  EXPECT_EQ(time("2026-07-05T15:30:00Z", "Europe/Berlin"), "evening");
  EXPECT_EQ(time("2026-03-28T03:30:00Z", "Europe/Berlin"), "night");
  EXPECT_EQ(time("2026-03-29T03:30:00Z", "Europe/Berlin"), "morning");
  EXPECT_EQ(time("2026-03-29T06:30:00Z", "Asia/Kolkata"), "afternoon");
  EXPECT_EQ(time("2026-03-29T06:15:00Z", "Asia/Kolkata"), "morning");
  for (const char* none : {"", "Europe", "Europe/Atlantis", "../../../etc/passwd", "/etc/localtime",
                           "Europe//Berlin"}) {
    EXPECT_FALSE(serving::TimeZone::named(none)) << none;
  }
}

TEST(TrackedPatterns, DaysAreThoseOfTheZone) {
  // Two evenings in UTC are three days in Auckland.
  std::vector<state::TrackedRow> rows;
  for (const char* at : {"2026-06-01T11:00:00Z", "2026-06-01T13:00:00Z", "2026-06-02T13:00:00Z",
                         "2026-06-02T13:15:00Z", "2026-06-02T13:30:00Z"}) {
    rows.push_back(row(1, 1));
    rows.back().created = *parse_rfc3339(at);
  }
  const auto trend = [&](const char* zone) {
    return patterns_of(rows, serving::TimeZone::named(zone).value())
        .find("trends")
        ->find("interactionFrequency")
        ->text;
  };
  EXPECT_EQ(trend("UTC"), "stable") << "two days";
  EXPECT_EQ(trend("Pacific/Auckland"), "increasing");
}

}  // namespace
}  // namespace millrace
