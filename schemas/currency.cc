#include "schemas/currency.h"

#include <algorithm>
#include <array>
#include <optional>

namespace millrace {
namespace {

using Wide = unsigned __int128;  // holds 10^14 hundredths by 10^18 billionths by 10^4

constexpr std::size_t kRateDigits = 9;

constexpr std::array<std::string_view, 17> kNoDigits = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                        "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                                        "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> kThreeDigits = {"BHD", "IQD", "JOD", "KWD",
                                                          "LYD", "OMR", "TND"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The number times 10^decimals; nothing for text that is no plain decimal, or has more digits.
std::optional<std::uint64_t> scaled(std::string_view text, std::size_t whole,
                                    std::size_t decimals) {
  const auto point = std::min(text.find('.'), text.size());
  const auto behind = point == text.size() ? std::string_view() : text.substr(point + 1);
  const bool dangling = point != text.size() && behind.empty();
  if (point == 0 || point > whole || dangling || behind.size() > decimals) return std::nullopt;
  std::uint64_t number = 0;
  for (const auto part : {text.substr(0, point), behind}) {
    for (const char c : part) {
      if (!is_digit(c)) return std::nullopt;
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  for (auto i = behind.size(); i < decimals; ++i) number *= 10;
  return number;
}

template <class List>
bool has(const List& list, std::string_view code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

}  // namespace

Status check_currency(std::string_view code) {
  const auto letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (code.size() == 3 && std::all_of(code.begin(), code.end(), letter)) return {};
  return fail(Code::kInvalid, "must be three letters A-Z, as of ISO 4217", "currency");
}

Status check_rate(std::string_view value) {
  if (scaled(value, kRateDigits, kRateDigits).value_or(0) != 0) return {};
  return fail(
      Code::kInvalid,
      "must be a decimal above 0 of at most nine digits before the point and nine behind it",
      "rate");
}

std::uint8_t minor_digits(std::string_view code) {
  if (has(kNoDigits, code)) return 0;
  if (has(kThreeDigits, code)) return 3;
  return code == "CLF" || code == "UYW" ? 4 : 2;
}

std::string convert(std::string_view price, const Rate& rate) {
  const auto hundredths = scaled(price, 12, 2);
  const auto billionths = scaled(rate.value, kRateDigits, kRateDigits);
  if (!hundredths || !billionths || rate.digits > 4) return {};
  Wide units = Wide{*hundredths} * *billionths;
  for (int i = 0; i < rate.digits; ++i) units *= 10;
  constexpr Wide kOne = Wide{100} * 1'000'000'000;
  units = (units + kOne / 2) / kOne;
  std::string text;
  for (std::size_t i = 0; units != 0 || i <= rate.digits; ++i, units /= 10) {
    if (i == rate.digits && i != 0) text += '.';
    text += static_cast<char>('0' + static_cast<int>(units % 10));
  }
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace millrace
