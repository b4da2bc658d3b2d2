#include "serving/surfaces/patterns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"

namespace millrace::serving {
namespace {

using state::kDayMs;
using state::TrackedSums;

constexpr double kCorrelated = 0.1;   // from here on moods go with what is done
constexpr double kTrendShare = 0.25;  // of the mean day: less change than that is stable

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

// Everything that a person's rows come to.
struct Total {
  TrackedSums sums;
  Counts types, times, kinds;
  std::map<std::int64_t, std::uint64_t> days;  // where the person is
};

const char* time_of_day(std::int64_t ms_of_day) {
  const auto hour = ms_of_day / 3'600'000;
  if (hour >= 5 && hour < 12) return "morning";
  if (hour >= 12 && hour < 17) return "afternoon";
  return hour >= 17 && hour < 22 ? "evening" : "night";
}

// Clocks change once a day at most: where its ends agree, so does what lies between.
void count_times(Total& total, const TrackedSums& sums, const TimeZone& zone) {
  const UnixMillis begin = sums.day * kDayMs;
  const auto ahead = zone.ahead_ms(begin);
  const bool changes = ahead != zone.ahead_ms(begin + kDayMs - 1);
  for (const auto& [quarter, count] : sums.quarters) {
    const UnixMillis at = begin + quarter * state::kQuarterMs;
    const auto local = at + (changes ? zone.ahead_ms(at) : ahead);
    const auto day = (local - (local % kDayMs + kDayMs) % kDayMs) / kDayMs;
    total.times[time_of_day(local - day * kDayMs)] += count;
    total.days[day] += count;
  }
}

Total total_of(const std::vector<TrackedSums>& all, const TimeZone& zone,
               const InteractionTable& table) {
  Total total;
  auto& whole = total.sums;
  whole.earliest = INT64_MAX;
  for (const auto& sums : all) {
    whole.earliest = std::min(whole.earliest, sums.earliest);
    whole.latest = std::max(whole.latest, sums.latest);
    whole.count += sums.count;
    whole.timed += sums.timed;
    whole.seconds += sums.seconds;
    whole.moods += sums.moods;
    whole.x += sums.x;
    whole.y += sums.y;
    whole.xx += sums.xx;
    whole.yy += sums.yy;
    whole.xy += sums.xy;
    const auto* type = table.find(sums.type);
    total.types[type == nullptr ? std::to_string(sums.type) : type->name] += sums.count;
    for (const auto& [kind, count] : sums.kinds) total.kinds[kind] += count;
    count_times(total, sums, zone);
  }
  return total;
}

// The most frequent; of equals the first by text. Nothing without any.
std::optional<std::string> most_common(const Counts& counts) {
  std::optional<std::string> best;
  std::uint64_t most = 0;
  for (const auto& [text, count] : counts) {
    if (count <= most) continue;
    best = text;
    most = count;
  }
  return best;
}

std::optional<double> mean_duration(const TrackedSums& sums) {
  if (sums.timed == 0) return std::nullopt;
  return static_cast<double>(sums.seconds) / static_cast<double>(sums.timed);
}

// Pearson's. Nothing under three points, or where one of the two never changes.
std::optional<double> mood_correlation(const TrackedSums& sums) {
  const auto n = static_cast<double>(sums.moods);
  const auto x = static_cast<double>(sums.x), y = static_cast<double>(sums.y);
  const double spread =
      (n * static_cast<double>(sums.xx) - x * x) * (n * static_cast<double>(sums.yy) - y * y);
  if (n < 3 || spread <= 0) return std::nullopt;
  return std::clamp((n * static_cast<double>(sums.xy) - x * y) / std::sqrt(spread), -1.0, 1.0);
}

std::optional<std::string> mood_trend(const std::optional<double>& correlation) {
  if (!correlation) return std::nullopt;
  if (*correlation > kCorrelated) return "positive";
  return *correlation < -kCorrelated ? "negative" : "neutral";
}

// Least squares over the counts of all days from the first to the last.
std::optional<std::string> frequency_trend(const Total& total) {
  if (total.days.empty()) return std::nullopt;
  const auto first = total.days.begin()->first;
  const auto n = static_cast<double>(total.days.rbegin()->first - first + 1);
  if (n < 3) return "stable";
  const double mean_x = (n - 1) / 2, mean_y = static_cast<double>(total.sums.count) / n;
  double slope = 0;
  for (const auto& [day, count] : total.days) {  // days without any add 0
    slope += (static_cast<double>(day - first) - mean_x) * static_cast<double>(count);
  }
  slope /= n * (n * n - 1) / 12;
  const double change = slope * (n - 1);
  if (change > kTrendShare * mean_y) return "increasing";
  return change < -kTrendShare * mean_y ? "decreasing" : "stable";
}

template <class Value>
void member(JsonWriter& out, std::string_view name, const std::optional<Value>& value) {
  out.key(name);
  if (value) {
    out.value(*value);
  } else {
    out.value(nullptr);
  }
}

}  // namespace

std::string patterns_body(const std::vector<TrackedSums>& sums, const TimeZone& zone,
                          const InteractionTable& table) {
  const auto total = total_of(sums, zone, table);
  const auto time = [&](UnixMillis at) {
    return sums.empty() ? std::nullopt : std::optional(rfc3339(at));
  };
  const auto correlation = mood_correlation(total.sums);
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("totalInteractions", total.sums.count);
  out.key("dateRange");
  out.begin_object();
  member(out, "start", time(total.sums.earliest));
  member(out, "end", time(total.sums.latest));
  out.end_object();
  out.key("patterns");
  out.begin_object();
  member(out, "mostCommonType", most_common(total.types));
  member(out, "averageDuration", mean_duration(total.sums));
  member(out, "moodCorrelation", correlation);
  member(out, "timeOfDayPattern", most_common(total.times));
  member(out, "contentTypePreference", most_common(total.kinds));
  out.end_object();
  out.key("trends");
  out.begin_object();
  member(out, "interactionFrequency", frequency_trend(total));
  member(out, "moodCorrelation", mood_trend(correlation));
  out.end_object();
  out.end_object();
  return body;
}

}  // namespace millrace::serving
