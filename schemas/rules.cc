#include "schemas/rules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/json_text.h"
#include "schemas/ids.h"
#include "schemas/rfc3339.h"

namespace millrace {
namespace {

tl::unexpected<Error> broken(std::string_view field, std::string rule) {
  return fail(Code::kInvalid, std::move(rule), std::string(field));
}

bool is_ascii(std::string_view text) {
  unsigned bits = 0;
  for (const char c : text) bits |= static_cast<std::uint8_t>(c);
  return bits < 0x80;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool all_of_set(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_number_start(std::string_view text) {
  return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
}

std::optional<double> finite(std::string_view text) {
  if (!is_number_start(text)) return std::nullopt;  // from_chars would also take "inf" and "nan"
  const auto number = whole<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

bool is_numeric(JsonText value) {
  return value.kind == JsonKind::kNumber || value.kind == JsonKind::kString;
}

// Hundredths of a number of at most two decimals and at most `limit`.
std::optional<std::int64_t> hundredths(JsonText value, double limit) {
  const auto number = is_numeric(value) ? finite(value.text) : std::nullopt;
  if (!number || std::abs(*number) > limit) return std::nullopt;
  const double scaled = std::round(*number * 100);
  // Exactly the double nearest to some count of hundredths, or there were more decimals.
  if (scaled / 100 != *number) return std::nullopt;
  return static_cast<std::int64_t>(scaled);
}

std::string too_long(std::size_t max_bytes) {
  return "must be text of at most " + std::to_string(max_bytes) + " bytes";
}

}  // namespace

Status check_id(std::string_view text, std::string_view field) {
  if (text.empty()) return broken(field, "must not be empty");
  if (text.size() > kMaxIdBytes) return broken(field, too_long(kMaxIdBytes));
  if (has_control(text)) return broken(field, "must have no control characters");
  if (!is_ascii(text) && !is_utf8(text)) return broken(field, "must be UTF-8");
  return {};
}

Result<std::string> id_of(JsonText value, std::string_view field) {
  if (value.kind == JsonKind::kNumber && !whole<std::int64_t>(value.text)) {
    return broken(field, "must be text or an integer of 64 bits");
  }
  if (!is_numeric(value)) return broken(field, "must be text or an integer");
  MILLRACE_CHECK(check_id(value.text, field));
  return std::string(value.text);
}

Result<std::string> line_of(JsonText value, std::string_view field, std::size_t max_bytes) {
  MILLRACE_TRY(std::string text, text_of(value, field, max_bytes));
  if (has_control(text)) return broken(field, "must have no control characters");
  return text;
}

Result<std::string> text_of(JsonText value, std::string_view field, std::size_t max_bytes) {
  if (value.kind != JsonKind::kString) return broken(field, "must be text");
  if (value.text.size() > max_bytes) return broken(field, too_long(max_bytes));
  if (!is_ascii(value.text) && !is_utf8(value.text)) return broken(field, "must be UTF-8");
  return std::string(value.text);
}

Status check_type_name(std::string_view text, std::string_view field) {
  if (text.empty() || text.size() > kMaxTypeBytes || !all_of_set(text, "_.-")) {
    return broken(field, "must be the name of an interaction type: 1 to 64 of a-z 0-9 _ . -");
  }
  return {};
}

bool is_kind(std::string_view text) {
  return !text.empty() && text.size() <= kMaxKindBytes && all_of_set(text, "_-");
}

Result<UnixMillis> time_of(JsonText value, std::string_view field) {
  const auto time = value.kind == JsonKind::kString ? parse_rfc3339(value.text) : std::nullopt;
  if (!time) {
    return broken(field,
                  "must be an RFC 3339 time of the years 1970 to 2200 with its offset, "
                  "like 2026-01-31T12:00:00.000Z");
  }
  return *time;
}

Result<std::int32_t> centi_of(JsonText value, std::string_view field) {
  const auto centi = hundredths(value, 1e6);
  if (!centi) {
    return broken(field, "must be a number from -1000000 to 1000000 with at most two decimals");
  }
  return static_cast<std::int32_t>(*centi);
}

Result<std::uint32_t> seconds_of(JsonText value, std::string_view field) {
  const auto seconds = value.kind == JsonKind::kNumber ? finite(value.text) : std::nullopt;
  if (!seconds || *seconds < 0 || *seconds > 1e7) {
    return broken(field, "must be a number of seconds from 0 to 10000000");
  }
  return static_cast<std::uint32_t>(*seconds);
}

Result<std::int64_t> integer_of(JsonText value, std::string_view field, std::int64_t low,
                                std::int64_t high) {
  const auto number =
      value.kind == JsonKind::kNumber ? whole<std::int64_t>(value.text) : std::nullopt;
  if (!number || *number < low || *number > high) {
    return broken(field,
                  "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return *number;
}

Result<std::string> price_of(JsonText value, std::string_view field) {
  // Below 10^12 a double tells any two amounts of hundredths apart.
  const auto cents = hundredths(value, 1e12);
  if (!cents || *cents < 0 || *cents >= 100'000'000'000'000) {
    return broken(field, "must be a price from 0 to below 10^12 with at most two decimals");
  }
  std::string text = std::to_string(*cents / 100) + ".";
  if (*cents % 100 < 10) text += '0';
  return text + std::to_string(*cents % 100);
}

}  // namespace millrace
