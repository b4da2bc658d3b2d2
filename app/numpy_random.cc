#include "app/numpy_random.h"

#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace millrace::app {
namespace {

// numpy's SeedSequence: a seed spread over four words of 64 bits.
std::array<std::uint64_t, 4> spread(std::uint64_t seed) {
  std::uint32_t factor = 0x43b0d7e5;
  const auto hash = [&factor](std::uint32_t value) {
    value ^= factor;
    factor *= 0x931e8875;
    value *= factor;
    return value ^ value >> 16;
  };
  std::array<std::uint32_t, 4> pool{};
  pool[0] = hash(static_cast<std::uint32_t>(seed));
  pool[1] = hash(static_cast<std::uint32_t>(seed >> 32));
  pool[2] = hash(0);
  pool[3] = hash(0);
  for (std::size_t from = 0; from < pool.size(); ++from) {
    for (std::size_t to = 0; to < pool.size(); ++to) {
      if (from == to) continue;
      const std::uint32_t mixed = 0xca01f9dd * pool[to] - 0x4973f715 * hash(pool[from]);
      pool[to] = mixed ^ mixed >> 16;
    }
  }
  std::array<std::uint64_t, 4> words{};
  factor = 0x8b51f9dd;
  for (std::size_t i = 0; i < 8; ++i) {
    std::uint32_t value = pool[i % 4] ^ factor;
    factor *= 0x58f38ded;
    value *= factor;
    value ^= value >> 16;
    words[i / 2] |= std::uint64_t{value} << (i % 2 * 32);
  }
  return words;
}

}  // namespace

NumpyRandom::NumpyRandom(std::uint64_t seed) {
  const auto words = spread(seed);
  increment_ = (Wide{words[2]} << 64 | words[3]) << 1 | 1;
  step();
  state_ += Wide{words[0]} << 64 | words[1];
  step();
}

void NumpyRandom::step() {
  constexpr Wide kFactor = Wide{0x2360ed051fc65da4} << 64 | 0x4385df649fccf645;
  state_ = state_ * kFactor + increment_;
}

std::uint64_t NumpyRandom::next64() {
  step();
  const auto folded = static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_);
  return std::rotr(folded, static_cast<int>(state_ >> 122));
}

std::uint32_t NumpyRandom::next32() {
  if (kept_) return *std::exchange(kept_, std::nullopt);
  const std::uint64_t both = next64();
  kept_ = static_cast<std::uint32_t>(both >> 32);
  return static_cast<std::uint32_t>(both);
}

std::uint32_t NumpyRandom::up_to(std::uint32_t most) {
  if (most == 0) return 0;
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << std::bit_width(most)) - 1);
  std::uint32_t value = 0;
  do value = next32() & mask;
  while (value > most);
  return value;
}

std::vector<std::uint32_t> NumpyRandom::permutation(std::uint32_t n) {
  std::vector<std::uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0U);
  for (std::uint32_t i = n; i-- > 1;) std::swap(out[i], out[up_to(i)]);
  return out;
}

}  // namespace millrace::app
