#include "schemas/rfc3339.h"

#include <algorithm>
#include <chrono>

namespace millrace {
namespace {

constexpr UnixMillis kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute,
                     kDay = 24 * kHour;

// Takes fixed pieces off the front of a text; once one does not fit, nothing does.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int low, int high) {
    if (rest_.size() < digits) return bad();
    int number = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return bad();
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return number < low || number > high ? bad() : number;
  }
  // One of `choices`, or '\0'.
  char one_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(std::string_view choices) {
    if (one_of(choices) == '\0') bad();
  }
  // ".25" is 250; none is 0.
  int fraction() {
    if (one_of(".") == '\0') return 0;
    int millis = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits < 3) millis = millis * 10 + (rest_[digits] - '0');
    }
    if (digits == 0) return bad();
    rest_.remove_prefix(digits);
    for (; digits < 3; ++digits) millis *= 10;
    return millis;
  }
  bool done() const { return good_ && rest_.empty(); }

 private:
  int bad() {
    good_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

UnixMillis offset(Pieces& pieces) {
  const char sign = pieces.one_of("Zz+-");
  if (sign == '\0') pieces.expect("Z");
  if (sign != '+' && sign != '-') return 0;
  const UnixMillis hours = pieces.number(2, 0, 23);
  pieces.expect(":");
  const UnixMillis ahead = hours * kHour + pieces.number(2, 0, 59) * kMinute;
  return sign == '+' ? ahead : -ahead;
}

void append_digits(std::string& out, std::int64_t number, int digits) {
  const std::string text = std::to_string(number);
  out.append(static_cast<std::size_t>(std::max(0, digits - static_cast<int>(text.size()))), '0');
  out += text;
}

}  // namespace

std::optional<UnixMillis> parse_rfc3339(std::string_view text) {
  Pieces pieces(text);
  const int year = pieces.number(4, 1969, 2201);  // an offset may move the edge years into range
  pieces.expect("-");
  const int month = pieces.number(2, 1, 12);
  pieces.expect("-");
  const int day = pieces.number(2, 1, 31);
  pieces.expect("Tt ");
  UnixMillis time = pieces.number(2, 0, 23) * kHour;
  pieces.expect(":");
  time += pieces.number(2, 0, 59) * kMinute;
  pieces.expect(":");
  time += pieces.number(2, 0, 60) * kSecond;
  time += pieces.fraction();
  time -= offset(pieces);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!pieces.done() || !date.ok()) return std::nullopt;
  time += std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (time < kMinTime || time > kMaxTime) return std::nullopt;
  return time;
}

std::string rfc3339(UnixMillis time) {
  time = std::clamp(time, kMinTime, kMaxTime);
  const std::chrono::sys_days day{std::chrono::days(time / kDay)};
  const std::chrono::year_month_day date{day};
  std::string out;
  append_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, time % kDay / kHour, 2);
  out += ':';
  append_digits(out, time % kHour / kMinute, 2);
  out += ':';
  append_digits(out, time % kMinute / kSecond, 2);
  out += '.';
  append_digits(out, time % kSecond, 3);
  out += 'Z';
  return out;
}

}  // namespace millrace
