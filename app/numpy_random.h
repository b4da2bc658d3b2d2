#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace millrace::app {

// numpy's default_rng(seed), bit for bit (PCG64 of O'Neill, "PCG: A Family of Simple Fast
// Space-Efficient Statistically Good Algorithms", seeded through her seed_seq), so that a random
// split is the one that a Python reference with the same seed makes.
class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint64_t seed);

  // Generator.permutation(n): 0..n-1 shuffled.
  std::vector<std::uint32_t> permutation(std::uint32_t n);
  // A whole number from 0 to `most`.
  std::uint32_t up_to(std::uint32_t most);

 private:
  using Wide = unsigned __int128;

  void step();
  std::uint64_t next64();
  std::uint32_t next32();

  Wide state_ = 0;
  Wide increment_ = 0;
  std::optional<std::uint32_t> kept_;  // the upper half of the last number
};

}  // namespace millrace::app
