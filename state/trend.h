#pragma once
#include <array>
#include <cstdint>

#include "base/clock.h"

namespace millrace::state {

// Forward decay in integers (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009).
//
// Time is cut into epochs of 16 half-lives H; L is the epoch's start. An event of weight w at time
// t adds round(w * 2^20 * 2^((t - L) / H)) to its epoch's accumulator, an integer, so that sums do
// not depend on order. The value at `now` is sum over epochs of A_e * 2^-((now - L_e) / H) / 2^20:
// what is left of the weights. Two epochs are kept; older ones have decayed below 2^-16.

inline constexpr int kEpochHalfLives = 16;
inline constexpr std::size_t kHalfLives = 2;  // [0] short: trending now, [1] long: rising compares

using Wide = __int128;

// The epoch that `time` (>= 0) lies in, and that epoch's start.
std::int32_t trend_epoch(UnixMillis time, std::int64_t half_life_ms);
UnixMillis epoch_start(std::int32_t epoch, std::int64_t half_life_ms);

// round(weight * 2^20 * 2^((time - L) / H)), bit-stable on every machine (fixed-point, no libm).
// |weight| <= 2^15.
std::int64_t trend_increment(std::int32_t weight, UnixMillis time, std::int64_t half_life_ms);

// The last two epochs of one half-life. Rep is int64 for one person's share (saturating), Wide for
// the sum over people.
template <class Rep>
struct TrendAccumulator {
  std::int32_t epoch = 0;  // of `newer`; `older` is epoch - 1
  Rep newer = 0;
  Rep older = 0;

  // What is kept for epoch e; 0 for epochs outside the two.
  Rep at(std::int32_t e) const { return e == epoch ? newer : e == epoch - 1 ? older : Rep{0}; }

  // Makes `e` the newer epoch if it is later than today's; what falls out is forgotten.
  void advance_to(std::int32_t e) {
    if (e <= epoch) return;
    older = e == epoch + 1 ? newer : Rep{0};
    newer = 0;
    epoch = e;
  }

  friend bool operator==(const TrendAccumulator&, const TrendAccumulator&) = default;
};

using TrendShare = std::array<TrendAccumulator<std::int64_t>, kHalfLives>;
using TrendSum = std::array<TrendAccumulator<Wide>, kHalfLives>;

// A trend as readers see it: `at_start` units of weight at the start of `epoch`, grown by
// 2^((t-L)/H) until t. Not a fact. Adding brings both to the newer epoch.
struct TrendReading {
  std::int32_t epoch = 0;
  double at_start = 0;
  void add(const TrendReading& other);
  double value(UnixMillis now, std::int64_t half_life_ms) const;  // decayed weight at `now`
  // log2 of the weight, extrapolated to time 0: it moves only when an event arrives, so that ranks
  // by it need no refreshing. -infinity when nothing positive is left.
  double rank_key() const;
};
TrendReading reading(const TrendAccumulator<Wide>& sum);

}  // namespace millrace::state
