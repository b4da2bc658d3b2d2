#include "schemas/currency.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace millrace {
namespace {

using Wide = __int128;

TEST(Convert, RoundsHalvesOfTheSmallestUnitUp) {
  EXPECT_EQ(convert("10.00", Rate{"1", 2}), "10.00");
  EXPECT_EQ(convert("10.00", Rate{"0.92", 2}), "9.20");
  EXPECT_EQ(convert("0.01", Rate{"0.5", 2}), "0.01");  // 0.005
  EXPECT_EQ(convert("0.01", Rate{"0.499999999", 2}), "0.00");
  EXPECT_EQ(convert("0.03", Rate{"0.5", 2}), "0.02");      // 0.015
  EXPECT_EQ(convert("10.00", Rate{"149.55", 0}), "1496");  // 1495.5
  EXPECT_EQ(convert("0.01", Rate{"49.999999999", 0}), "0");
  EXPECT_EQ(convert("10.00", Rate{"0.3075", 3}), "3.075");
  EXPECT_EQ(convert("0.01", Rate{"0.05", 3}), "0.001");      // 0.0005
  EXPECT_EQ(convert("1.00", Rate{"0.02535", 4}), "0.0254");  // 0.02535
  EXPECT_EQ(convert("99999999.99", Rate{"999999999.999999999", 4}), "99999999989999999.9000");
  EXPECT_EQ(convert("999999999999.99", Rate{"999999999.999999999", 0}), "999999999999989999000");
  EXPECT_EQ(convert("five", Rate{"1", 2}), "");
  EXPECT_EQ(convert("", Rate{"1", 2}), "");
}

Wide digits_of(std::string_view text) {
  Wide number = 0;
  for (const char c : text) {
    if (c != '.') number = number * 10 + (c - '0');
  }
  return number;
}

std::string two_decimals(std::int64_t hundredths) {
  const auto cents = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (cents.size() == 1 ? "0" + cents : cents);
}

// However it is computed, what comes out lies within half a unit, and at the half above it.
TEST(Convert, IsNeverFurtherThanHalfAUnitFromTheExactAmount) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto price = static_cast<std::int64_t>(random() % 9'999'999'999u) + 1;
    const auto rate = random() % 1'000'000'000'000u + 1;  // billionths
    const auto billionths = std::to_string(1'000'000'000 + rate % 1'000'000'000).substr(1);
    const Rate asked{std::to_string(rate / 1'000'000'000) + "." + billionths,
                     static_cast<std::uint8_t>(random() % 5)};
    const auto text = convert(two_decimals(price), asked);
    Wide scale = 1;
    for (int d = 0; d < asked.digits; ++d) scale *= 10;
    const Wide exact = Wide{price} * static_cast<Wide>(rate) * scale;  // of units, times 10^11
    const Wide off = exact - digits_of(text) * 100'000'000'000;
    EXPECT_GE(off * 2, -100'000'000'000) << text;
    EXPECT_LT(off * 2, 100'000'000'000) << text;
    const auto point = text.find('.');
    EXPECT_EQ(point == std::string::npos ? 0 : text.size() - point - 1, asked.digits) << text;
    EXPECT_EQ(convert(two_decimals(price), Rate{"1", 2}), two_decimals(price));
  }
}

TEST(Currency, CodesAndRatesObeyTheirRules) {
  EXPECT_TRUE(check_currency("EUR"));
  for (const char* bad : {"", "EU", "EURO", "eur", "E1R"}) {
    EXPECT_EQ(check_currency(bad).error().field, "currency") << bad;
  }
  for (const char* good : {"1", "0.92", "0.000000001", "999999999.999999999"}) {
    EXPECT_TRUE(check_rate(good)) << good;
  }
  for (const char* bad :
       {"", "0", "0.0", "-1", "1e3", ".5", "5.", "1.0000000001", "1000000000", "one", "1,5"}) {
    EXPECT_EQ(check_rate(bad).error().field, "rate") << bad;
  }
  EXPECT_EQ(minor_digits("EUR"), 2);
  EXPECT_EQ(minor_digits("JPY"), 0);
  EXPECT_EQ(minor_digits("KWD"), 3);
  EXPECT_EQ(minor_digits("CLF"), 4);
}

}  // namespace
}  // namespace millrace
