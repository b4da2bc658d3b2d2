#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace millrace::app {

// Chance that is the same on every platform, which std's distributions are not. One thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }  // [0, 1)
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(unit() * static_cast<double>(count));
  }
  bool chance(double probability) { return unit() < probability; }

 private:
  std::mt19937_64 engine_;
};

// Draws ranks 0, 1, ... so that rank r comes with a weight of 1/(r + 1)^exponent.
class Zipf {
 public:
  Zipf(std::size_t count, double exponent) : sums_(count) {
    double sum = 0;
    for (std::size_t rank = 0; rank < count; ++rank) {
      sum += std::pow(static_cast<double>(rank + 1), -exponent);
      sums_[rank] = sum;
    }
  }
  std::size_t draw(Random& random) const {
    const double at = random.unit() * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end() - 1, at);
    return static_cast<std::size_t>(found - sums_.begin());
  }
  std::size_t size() const { return sums_.size(); }

 private:
  std::vector<double> sums_;
};

}  // namespace millrace::app
