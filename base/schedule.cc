#include "base/schedule.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace millrace {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::sys_time;

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Kind {
  std::string_view name;
  unsigned low, high;
  std::span<const std::string_view> names;  // of low and on
};
const Kind kKinds[] = {{"minute", 0, 59, {}},
                       {"hour", 0, 23, {}},
                       {"day of the month", 1, 31, {}},
                       {"month", 1, 12, kMonths},
                       {"day of the week", 0, 7, kWeekdays}};

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  auto parts = split(text, ' ');
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return parts;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<unsigned> value_of(std::string_view text, const Kind& kind) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto named = std::find(kind.names.begin(), kind.names.end(), lower);
  if (named != kind.names.end()) {
    return kind.low + static_cast<unsigned>(named - kind.names.begin());
  }
  const auto value = number(text);
  return value && *value >= kind.low && *value <= kind.high ? value : std::nullopt;
}

// One of a field's parts between commas: `*`, `a`, `a-b`, each with `/step` behind it.
bool allow(std::string_view part, const Kind& kind, std::bitset<60>& allowed) {
  const auto slash = part.find('/');
  const auto range = part.substr(0, slash);
  const auto step =
      slash == std::string_view::npos ? std::optional<unsigned>(1) : number(part.substr(slash + 1));
  if (!step || *step == 0) return false;
  std::optional<unsigned> first = kind.low;
  std::optional<unsigned> last = kind.high;
  if (range != "*") {
    const auto dash = range.find('-');
    first = value_of(range.substr(0, dash), kind);
    if (dash != std::string_view::npos) {
      last = value_of(range.substr(dash + 1), kind);
    } else if (slash == std::string_view::npos) {
      last = first;
    }
  }
  if (!first || !last || *first > *last) return false;
  for (unsigned value = *first; value <= *last; value += *step) allowed.set(value);
  return true;
}

}  // namespace

Schedule Schedule::every(std::int64_t ms) {
  Schedule schedule;
  schedule.every_ms_ = ms;
  return schedule;
}

Result<Schedule> Schedule::cron(std::string_view fields) {
  const auto parts = words(fields);
  if (parts.size() != kFields) {
    return fail(Code::kInvalid,
                "must be five fields: minute, hour, day of the month, month, day of the week");
  }
  Schedule schedule;
  schedule.text_ = fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    const Kind& kind = kKinds[i];
    for (const auto part : split(parts[i], ',')) {
      if (allow(part, kind, schedule.allowed_[i])) continue;
      return fail(Code::kInvalid, std::string(kind.name) + " must be *, numbers from " +
                                      std::to_string(kind.low) + " to " +
                                      std::to_string(kind.high) + ", ranges (1-5), steps (*/10)" +
                                      " or lists of them, not " + std::string(parts[i]));
    }
  }
  auto& weekdays = schedule.allowed_[kWeekday];
  if (weekdays.test(7)) weekdays.set(0);  // both are Sunday
  schedule.either_day_ = !parts[kDay].starts_with('*') && !parts[kWeekday].starts_with('*');
  if (schedule.next(0) == kNever) return fail(Code::kInvalid, "must name a day that there is");
  return schedule;
}

UnixMillis Schedule::next(UnixMillis after) const {
  if (!text_.empty()) return next_cron(after);
  return every_ms_ > 0 ? after + every_ms_ : kNever;
}

UnixMillis Schedule::next_cron(UnixMillis after) const {
  constexpr int kMaxDays = 8 * 366 + 1;  // from one 29 February to the next, over 2100
  const auto from = floor<std::chrono::minutes>(sys_time<milliseconds>(milliseconds(after))) +
                    std::chrono::minutes(1);
  auto day = floor<days>(from);
  auto first = static_cast<std::size_t>((from - day).count());  // minute of the day
  for (int i = 0; i < kMaxDays; ++i, day += days(1), first = 0) {
    const std::chrono::year_month_day date(day);
    const std::chrono::weekday weekday(day);
    const bool by_day = allowed_[kDay].test(static_cast<unsigned>(date.day()));
    const bool by_weekday = allowed_[kWeekday].test(weekday.c_encoding());
    if (!allowed_[kMonth].test(static_cast<unsigned>(date.month()))) continue;
    if (either_day_ ? !by_day && !by_weekday : !by_day || !by_weekday) continue;
    for (std::size_t minute = first; minute < 24 * 60; ++minute) {
      if (!allowed_[kHour].test(minute / 60) || !allowed_[kMinute].test(minute % 60)) continue;
      const auto time = day + std::chrono::minutes(minute);
      return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
    }
  }
  return kNever;
}

}  // namespace millrace
