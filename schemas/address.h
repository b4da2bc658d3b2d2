#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

// An IP address; an IPv4 one is kept as IPv6 maps it, ::ffff:a.b.c.d, and printed without that.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  // "192.0.2.1", "2001:db8::1". Nothing for what is none.
  static std::optional<Address> parse(std::string_view text);
  std::string text() const;
  bool is_v4() const;
  // What limits and histories are kept by: an IPv4 address itself, the /64 that an IPv6 one is in,
  // since whoever has one of those addresses has them all.
  Address network() const;
  std::uint64_t hash() const;

  friend auto operator<=>(const Address&, const Address&) = default;
};

// Addresses that begin alike.
struct AddressRange {
  Address first;
  std::uint8_t bits = 128;  // of `first` that count; those behind are 0

  // The network() of an address.
  static AddressRange network_of(const Address& address);
  // An address, or one with "/BITS". kInvalid, without a field.
  static Result<AddressRange> parse(std::string_view text);
  // "10.0.0.0/8"; an address alone where all bits count.
  std::string text() const;
  bool contains(const Address& address) const;

  friend auto operator<=>(const AddressRange&, const AddressRange&) = default;
};

// `address` with nothing but its first `bits`.
Address masked(const Address& address, std::uint8_t bits);

}  // namespace millrace

template <>
struct std::hash<millrace::Address> {
  std::size_t operator()(const millrace::Address& address) const { return address.hash(); }
};
