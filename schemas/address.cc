#include "schemas/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace millrace {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = 96;
constexpr std::uint8_t kNetworkBits = 64;
constexpr std::size_t kLongest = 45;

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  std::array<char, kLongest + 1> ended{};
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  std::copy(text.begin(), text.end(), ended.begin());
  Address address;
  if (::inet_pton(AF_INET6, ended.data(), address.bytes.data()) == 1) return address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  if (::inet_pton(AF_INET, ended.data(), &address.bytes[kMapped.size()]) == 1) return address;
  return std::nullopt;
}

std::string Address::text() const {
  std::array<char, kLongest + 1> out{};
  const bool v4 = is_v4();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, &bytes[v4 ? kMapped.size() : 0], out.data(), out.size());
  return out.data();
}

bool Address::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

Address Address::network() const { return is_v4() ? *this : masked(*this, kNetworkBits); }

std::uint64_t Address::hash() const {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), bytes.data(), bytes.size());
  const std::uint64_t mixed = (halves[0] ^ halves[1] * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
  return mixed ^ mixed >> 32u;
}

Address masked(const Address& address, std::uint8_t bits) {
  Address out = address;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    const int kept = std::clamp(int{bits} - 8 * static_cast<int>(i), 0, 8);
    out.bytes[i] =
        static_cast<std::uint8_t>(out.bytes[i] & (0xff00u >> static_cast<unsigned>(kept)));
  }
  return out;
}

AddressRange AddressRange::network_of(const Address& address) {
  return {address.network(), address.is_v4() ? std::uint8_t{128} : kNetworkBits};
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  const std::uint8_t most = address && address->is_v4() ? 32 : 128;
  std::uint8_t bits = most;
  bool good = address.has_value();
  if (good && slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    good = error == std::errc() && end == digits.data() + digits.size() && bits <= most;
  }
  if (!good) return fail(Code::kInvalid, "must be an IP address, or a range as 10.0.0.0/8 is one");
  bits = static_cast<std::uint8_t>(bits + (address->is_v4() ? kMappedBits : 0));
  return AddressRange{masked(*address, bits), bits};
}

std::string AddressRange::text() const {
  if (bits == 128) return first.text();
  // A range that begins within the mapped addresses and is wider than all of them is IPv6.
  const bool v4 = first.is_v4() && bits >= kMappedBits;
  return first.text() + "/" + std::to_string(v4 ? bits - kMappedBits : bits);
}

bool AddressRange::contains(const Address& address) const { return masked(address, bits) == first; }

}  // namespace millrace
