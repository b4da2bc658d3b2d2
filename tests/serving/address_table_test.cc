#include "serving/http/address_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace millrace::serving {
namespace {

constexpr UnixMillis kMinute = 60'000;

Address number(std::uint32_t n) {
  Address address = Address::parse("10.0.0.0").value();
  address.bytes[13] = static_cast<std::uint8_t>(n >> 16u);
  address.bytes[14] = static_cast<std::uint8_t>(n >> 8u);
  address.bytes[15] = static_cast<std::uint8_t>(n);
  return address;
}

TEST(Usual, IsAMeanWithADeviationThatForgets) {
  Usual usual;
  for (int i = 0; i < 200; ++i) usual.add(i % 2 == 0 ? 90 : 110);
  EXPECT_NEAR(usual.mean(), 100, 2);
  EXPECT_NEAR(usual.deviation(), 10, 2);
  for (int i = 0; i < 100; ++i) usual.add(5);
  EXPECT_NEAR(usual.mean(), 5, 0.1);
  Usual first;
  first.add(7);
  EXPECT_EQ(first.mean(), 7);
  EXPECT_EQ(first.deviation(), 0);
}

TEST(AddressTable, HoldsEachAddressToTheRate) {
  AddressTable table({.per_minute = 60});
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(table.request(number(1), 0).taken.allowed);
  EXPECT_FALSE(table.request(number(1), 0).taken.allowed);
  EXPECT_TRUE(table.request(number(2), 0).taken.allowed);
  EXPECT_TRUE(table.request(number(1), 1'000).taken.allowed);
  EXPECT_FALSE(table.request(number(1), 1'000).taken.allowed);
}

TEST(AddressTable, SoManyFailuresWithinTheWindowAreAbuse) {
  AddressTable table({.failures = 100, .window_ms = 5 * kMinute});
  const auto fail = [&](UnixMillis at) {
    table.request(number(1), at);
    return table.failure(number(1), at).abuse;
  };
  for (int i = 0; i < 99; ++i) EXPECT_FALSE(fail(i * 1'000));
  EXPECT_TRUE(fail(100'000));
  EXPECT_FALSE(fail(100'001)) << "told once";
  for (int i = 0; i < 98; ++i) EXPECT_FALSE(fail(100'001));
  EXPECT_TRUE(fail(100'001)) << "and once more after as many again";
}

TEST(AddressTable, FailuresThatAreFurtherApartAreNone) {
  AddressTable table({.failures = 100, .window_ms = 5 * kMinute});
  for (int i = 0; i < 1'000; ++i) {  // 90 in five minutes
    const UnixMillis at = i * 3'334;
    table.request(number(1), at);
    EXPECT_FALSE(table.failure(number(1), at).abuse) << i;
  }
  AddressTable silent({.failures = 100, .window_ms = 5 * kMinute});
  for (int i = 0; i < 99; ++i) silent.failure(number(1), 0);
  EXPECT_FALSE(silent.failure(number(1), 60 * kMinute).abuse);
  EXPECT_FALSE(AddressTable({}).failure(number(1), 0).abuse) << "0: none are";
}

// Requests of one minute, the last of them told.
std::optional<Anomaly> minute(AddressTable& table, std::int64_t at, int requests, int failures) {
  std::optional<Anomaly> told;
  for (int i = 0; i < requests; ++i) {
    const auto seen = table.request(number(1), at * kMinute + i % 50'000);
    if (seen.anomaly) told = seen.anomaly;
    if (i >= failures) continue;
    const auto failed = table.failure(number(1), at * kMinute + i % 50'000);
    if (failed.anomaly) told = failed.anomaly;
  }
  return told;
}

TEST(AddressTable, ARateFarAboveAnAddresssOwnIsTold) {
  AddressTable table({});
  for (int i = 1; i <= 30; ++i) EXPECT_FALSE(minute(table, i, 200 + i % 7, 0)) << i;
  EXPECT_FALSE(minute(table, 31, 590, 0)) << "less than three times the mean";
  const auto told = minute(table, 32, 2'000, 0);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->kind, "rate");
  EXPECT_GT(told->value, 3 * told->mean);
  EXPECT_FALSE(minute(table, 33, 5'000, 0)) << "once an hour";
  EXPECT_TRUE(minute(table, 93, 20'000, 0)) << "what it rose by did not become usual at once";
}

TEST(AddressTable, AShareOfFailuresFarAboveItsOwnIsTold) {
  AddressTable table({});
  for (int i = 1; i <= 30; ++i) EXPECT_FALSE(minute(table, i, 100, 3)) << i;
  EXPECT_FALSE(minute(table, 31, 100, 12)) << "not far enough";
  const auto told = minute(table, 32, 100, 60);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->kind, "failures");
  EXPECT_NEAR(told->mean, 0.03, 0.02);
}

TEST(AddressTable, WhoIsNewOrSmallIsNotUnusual) {
  AddressTable fresh({});
  for (int i = 1; i <= 8; ++i)
    EXPECT_FALSE(minute(fresh, i, i == 8 ? 5'000 : 10, i == 8 ? 500 : 0));
  AddressTable small({});
  for (int i = 1; i <= 30; ++i) minute(small, i, 2, 0);
  EXPECT_FALSE(minute(small, 31, 250, 15)) << "many times its own, and still little";
}

TEST(AddressTable, RemembersSoManyAndForgetsTheLongestSilent) {
  AddressTable table({.per_minute = 1, .most = 1'600});
  table.request(number(0), 0);
  for (std::uint32_t n = 1; n < 50'000; ++n) {
    table.request(number(n), n);
    if (n % 50 != 0) continue;
    EXPECT_FALSE(table.request(number(0), n).taken.allowed) << n;
  }
  EXPECT_LE(table.size(), 1'600u);
  EXPECT_GT(table.size(), 400u);
  for (std::uint32_t n = 0; n < 10'000; ++n) table.request(number(n), 100'000);  // all at once
  EXPECT_LE(table.size(), 1'600u);
}

}  // namespace
}  // namespace millrace::serving
