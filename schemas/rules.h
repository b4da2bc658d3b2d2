#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/json_value.h"

namespace millrace {

// The rules that single fields obey, whatever form they came in. Every failure is kInvalid, names
// `field`, and says the rule in words that follow the field's name ("must be ...").

inline constexpr std::size_t kMaxTypeBytes = 64;
inline constexpr std::size_t kMaxKindBytes = 32;
inline constexpr std::size_t kMaxTextBytes = 4096;  // notes, context

// An id: 1 to kMaxIdBytes bytes of UTF-8 without control characters.
Status check_id(std::string_view text, std::string_view field);

// An id given as a string, or as an integer, which stands for its digits.
Result<std::string> id_of(JsonText value, std::string_view field);

// A line of text of at most `max_bytes`, which may be empty and has no control characters.
Result<std::string> line_of(JsonText value, std::string_view field, std::size_t max_bytes);

// Text of at most `max_bytes`, line breaks and all.
Result<std::string> text_of(JsonText value, std::string_view field, std::size_t max_bytes);

// Name of an interaction type: 1 to kMaxTypeBytes of a-z 0-9 _ . -
Status check_type_name(std::string_view text, std::string_view field);

// 1 to kMaxKindBytes of a-z 0-9 _ -
bool is_kind(std::string_view text);

// An RFC 3339 date-time.
Result<UnixMillis> time_of(JsonText value, std::string_view field);

// A number, or text that reads as one, of at most two decimals and at most 1,000,000 either way; in
// hundredths.
Result<std::int32_t> centi_of(JsonText value, std::string_view field);

// A number of seconds from 0 to 10,000,000; fractions are cut off.
Result<std::uint32_t> seconds_of(JsonText value, std::string_view field);

// An integer within [low, high].
Result<std::int64_t> integer_of(JsonText value, std::string_view field, std::int64_t low,
                                std::int64_t high);

// A price: number or text, from 0 to below 10^12, at most two decimals. Its one stored form has two
// decimals: 5, "5.0" and 5.00 are all "5.00".
Result<std::string> price_of(JsonText value, std::string_view field);

}  // namespace millrace
