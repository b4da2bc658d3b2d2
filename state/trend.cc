#include "state/trend.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::state {
namespace {

using UWide = unsigned __int128;

// 2^x for x in [0, 1) as the product of four table rows, one per byte of x's first 32 bits. Values
// are Q2.62. The tables come from integer square roots alone, so that they are the same everywhere.
constexpr int kFraction = 62;
constexpr std::uint64_t kOne = std::uint64_t{1} << kFraction;

constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((static_cast<UWide>(a) * b + (kOne >> 1)) >> kFraction);
}

constexpr std::uint64_t square_root(UWide of) {
  std::uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const std::uint64_t trial = root | std::uint64_t{1} << bit;
    if (static_cast<UWide>(trial) * trial <= of) root = trial;
  }
  return root;
}

using PowerTables = std::array<std::array<std::uint64_t, 256>, 4>;

constexpr PowerTables make_tables() {
  std::array<std::uint64_t, 33> roots{};  // roots[i] = 2^(2^-i)
  roots[0] = kOne << 1;
  for (std::size_t i = 1; i < roots.size(); ++i) {
    roots[i] = square_root(static_cast<UWide>(roots[i - 1]) << kFraction);
  }
  PowerTables tables{};
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::size_t value = 0; value < 256; ++value) {
      std::uint64_t power = kOne;
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if (value >> (7 - bit) & 1) power = multiply(power, roots[byte * 8 + bit + 1]);
      }
      tables[byte][value] = power;
    }
  }
  return tables;
}

constexpr PowerTables kPowers = make_tables();

std::uint64_t power_of_two(std::uint32_t fraction) {
  return multiply(multiply(kPowers[0][fraction >> 24], kPowers[1][fraction >> 16 & 255]),
                  multiply(kPowers[2][fraction >> 8 & 255], kPowers[3][fraction & 255]));
}

// floor(part * 2^32 / whole) for part < whole.
std::uint32_t fraction_of(std::uint64_t part, std::uint64_t whole) {
  if (part < std::uint64_t{1} << 32) return static_cast<std::uint32_t>((part << 32) / whole);
  return static_cast<std::uint32_t>((static_cast<UWide>(part) << 32) / whole);
}

constexpr std::int64_t kMaxHalfLife = std::numeric_limits<std::int64_t>::max() / kEpochHalfLives;

std::int64_t sane(std::int64_t half_life_ms) {
  return std::clamp<std::int64_t>(half_life_ms, 1, kMaxHalfLife);
}

// A reading's weight moved from the start of epoch `from` to that of the later epoch `to`.
double moved(double at_start, std::int32_t from, std::int32_t to) {
  const std::int64_t halvings = (std::int64_t{to} - from) * kEpochHalfLives;
  return std::ldexp(at_start, -static_cast<int>(std::min<std::int64_t>(halvings, 1 << 20)));
}

constexpr double kUnit = 1 << 20;

}  // namespace

std::int32_t trend_epoch(UnixMillis time, std::int64_t half_life_ms) {
  const std::int64_t epoch = std::max<UnixMillis>(time, 0) / (sane(half_life_ms) * kEpochHalfLives);
  return static_cast<std::int32_t>(
      std::min<std::int64_t>(epoch, std::numeric_limits<std::int32_t>::max()));
}

UnixMillis epoch_start(std::int32_t epoch, std::int64_t half_life_ms) {
  const Wide start = Wide{epoch} * sane(half_life_ms) * kEpochHalfLives;
  constexpr Wide kLast = std::numeric_limits<UnixMillis>::max();
  return static_cast<UnixMillis>(std::min(start, kLast));
}

std::int64_t trend_increment(std::int32_t weight, UnixMillis time, std::int64_t half_life_ms) {
  const std::int64_t half_life = sane(half_life_ms);
  const UnixMillis since = std::max<UnixMillis>(time, 0) % (half_life * kEpochHalfLives);
  const auto doublings = static_cast<int>(since / half_life);
  const auto rest = static_cast<std::uint64_t>(since % half_life);
  const std::uint64_t growth =
      power_of_two(fraction_of(rest, static_cast<std::uint64_t>(half_life)));
  const auto size = static_cast<std::uint64_t>(std::abs(std::int64_t{weight}));
  const int drop = kFraction - 20 - doublings;  // 27 … 42
  const UWide product = static_cast<UWide>(size) * growth;
  const auto rounded = static_cast<std::int64_t>((product + (UWide{1} << (drop - 1))) >> drop);
  return weight < 0 ? -rounded : rounded;
}

void TrendReading::add(const TrendReading& other) {
  const std::int32_t newest = std::max(epoch, other.epoch);
  at_start = moved(at_start, epoch, newest) + moved(other.at_start, other.epoch, newest);
  epoch = newest;
}

double TrendReading::value(UnixMillis now, std::int64_t half_life_ms) const {
  const auto since = static_cast<double>(now - epoch_start(epoch, half_life_ms));
  return at_start * std::exp2(-since / static_cast<double>(sane(half_life_ms)));
}

double TrendReading::rank_key() const {
  if (!(at_start > 0)) return -std::numeric_limits<double>::infinity();
  return std::log2(at_start) + static_cast<double>(epoch) * kEpochHalfLives;
}

TrendReading reading(const TrendAccumulator<Wide>& sum) {
  const double older = std::ldexp(static_cast<double>(sum.older), -kEpochHalfLives);
  return {sum.epoch, (static_cast<double>(sum.newer) + older) / kUnit};
}

}  // namespace millrace::state
