#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

// Money never is a float: amounts and rates are decimal text, and sums are done in integers.

// What one unit of the currency that prices are in is worth in another.
struct Rate {
  std::string value;        // above 0, at most nine digits before the point and nine behind it
  std::uint8_t digits = 2;  // of that currency's minor unit: 0 to 4

  friend bool operator==(const Rate&, const Rate&) = default;
};

// Three letters A-Z. kInvalid, field "currency".
Status check_currency(std::string_view code);
// kInvalid, field "rate".
Status check_rate(std::string_view value);
// Of ISO 4217; 2 for what it does not know.
std::uint8_t minor_digits(std::string_view code);

// `price`, text with at most two decimals, in the other currency, with its number of digits. Halves
// of its smallest unit are rounded up. Empty for text that is no price below 10^12.
std::string convert(std::string_view price, const Rate& rate);

// ---- Changes in the catalog's log.

struct PutRate {
  std::string currency;
  Rate rate;
  friend bool operator==(const PutRate&, const PutRate&) = default;
};

struct DeleteRate {
  std::string currency;
  friend bool operator==(const DeleteRate&, const DeleteRate&) = default;
};

}  // namespace millrace
