#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace millrace {

// Event times outside these are refused: 1970-01-01T00:00:00Z up to the end of the year 2200.
inline constexpr UnixMillis kMinTime = 0;
inline constexpr UnixMillis kMaxTime = 7'289'654'399'999;

// An RFC 3339 date-time, any offset, any fraction (cut to milliseconds); a leap second counts as
// the second after it. Nothing if `text` is none or lies outside kMinTime..kMaxTime.
std::optional<UnixMillis> parse_rfc3339(std::string_view text);

// "2026-01-01T00:00:00.000Z". `time` must lie within kMinTime..kMaxTime, and is moved there if not.
std::string rfc3339(UnixMillis time);

}  // namespace millrace
