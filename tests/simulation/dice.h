#pragma once
#include <cstdint>
#include <random>

namespace millrace::simulation {

// All that is random in one run: the same seed throws the same. std::mt19937_64 is the same
// everywhere, the standard's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  template <class List>
  auto& pick(List& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace millrace::simulation
