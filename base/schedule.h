#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace millrace {

// When something is done again: never, every so long, or at the minutes that the five fields of
// cron name (crontab(5): numbers, lists, ranges, steps, names of months and days; where both days
// are given, either will do), in UTC. A value.
class Schedule {
 public:
  Schedule() = default;                    // never
  static Schedule every(std::int64_t ms);  // 0: never
  static Result<Schedule> cron(
      std::string_view fields);  // kInvalid: which field, and what it must be

  // The first time behind `after`; kNever: none.
  static constexpr UnixMillis kNever = INT64_MAX;
  UnixMillis next(UnixMillis after) const;

  std::int64_t every_ms() const { return every_ms_; }       // 0: not by such
  const std::string& cron_fields() const { return text_; }  // as given; empty: not by such

  friend bool operator==(const Schedule& a, const Schedule& b) {
    return a.every_ms_ == b.every_ms_ && a.text_ == b.text_;
  }

 private:
  enum Field : std::uint8_t { kMinute, kHour, kDay, kMonth, kWeekday, kFields };

  UnixMillis next_cron(UnixMillis after) const;

  std::int64_t every_ms_ = 0;
  std::string text_;
  std::array<std::bitset<60>, kFields> allowed_{};
  bool either_day_ = false;  // neither the day of the month nor that of the week is `*`
};

}  // namespace millrace
