#include "schemas/address.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Address address(const std::string& text) { return Address::parse(text).value(); }
AddressRange range(const std::string& text) { return AddressRange::parse(text).value(); }

TEST(Address, IsReadAndPrinted) {
  for (const char* text :
       {"127.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "2001:db8::1", "fe80::1:2:3:4"}) {
    EXPECT_EQ(address(text).text(), text);
  }
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1")) << "an IPv4 address, mapped";
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "localhost", "::1%lo", "1.2.3.4 ",
                           "[::1]", "1.2.3.4:80", "10.0.0.0/8"}) {
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Address::parse(std::string(1000, '1')).has_value());
}

TEST(Address, ANetworkIsAnIPv4AddressOrASixtyFourthOfIPv6) {
  EXPECT_EQ(address("10.1.2.3").network(), address("10.1.2.3"));
  EXPECT_EQ(address("2001:db8:1:2:3:4:5:6").network(), address("2001:db8:1:2::"));
  EXPECT_EQ(AddressRange::network_of(address("2001:db8::7")).text(), "2001:db8::/64");
  EXPECT_EQ(AddressRange::network_of(address("10.1.2.3")).text(), "10.1.2.3");
}

TEST(AddressRange, HoldsWhatBeginsAlike) {
  EXPECT_TRUE(range("10.0.0.0/8").contains(address("10.255.0.1")));
  EXPECT_FALSE(range("10.0.0.0/8").contains(address("11.0.0.1")));
  EXPECT_FALSE(range("10.0.0.0/8").contains(address("::1")));
  EXPECT_TRUE(range("10.1.2.3").contains(address("10.1.2.3")));
  EXPECT_FALSE(range("10.1.2.3").contains(address("10.1.2.4")));
  EXPECT_TRUE(range("0.0.0.0/0").contains(address("200.1.1.1")));
  EXPECT_FALSE(range("0.0.0.0/0").contains(address("2001:db8::1")));
  EXPECT_TRUE(range("::/0").contains(address("200.1.1.1")));
  EXPECT_TRUE(range("2001:db8::/33").contains(address("2001:db8:7fff::")));
  EXPECT_FALSE(range("2001:db8::/33").contains(address("2001:db8:8000::")));
}

TEST(AddressRange, IsReadAndPrinted) {
  for (const char* text :
       {"10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1", "192.0.2.128/25"}) {
    EXPECT_EQ(range(text).text(), text);
  }
  EXPECT_EQ(range("10.1.2.3/8").text(), "10.0.0.0/8") << "what is behind the bits does not count";
  EXPECT_EQ(range("10.1.2.3/32"), range("10.1.2.3"));
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1",
                           "10.0.0.0/8x", "10.0.0.0/8/8", "x/8"}) {
    const auto parsed = AddressRange::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
  }
}

}  // namespace
}  // namespace millrace
