#include "schemas/uuid7.h"

#include <algorithm>
#include <random>
#include <string_view>

namespace millrace {
namespace {

constexpr int kCounterBits = 12;

std::uint64_t random_bits() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

std::string uuid_text(std::uint64_t high, std::uint64_t low) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text += '-';
    const std::uint64_t half = nibble < 16 ? high : low;
    text += kHex[half >> (60 - 4 * (nibble % 16)) & 0xf];
  }
  return text;
}

}  // namespace

std::string Uuid7Minter::mint() {
  // Within one millisecond the counter rises; should it overflow, it borrows from the next
  // millisecond, as RFC 9562 section 6.2 allows.
  const auto now = static_cast<std::uint64_t>(std::max<UnixMillis>(clock_->now(), 0));
  std::uint64_t last = last_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = std::max(now << kCounterBits, last + 1);
  } while (!last_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  const std::uint64_t millis = next >> kCounterBits;
  const std::uint64_t counter = next & ((1U << kCounterBits) - 1);
  const std::uint64_t high = millis << 16 | 0x7000U | counter;
  const std::uint64_t low = (random_bits() >> 2) | 0x8000000000000000U;
  return uuid_text(high, low);
}

}  // namespace millrace
