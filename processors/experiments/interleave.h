#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "processors/rankers/ranker.h"

namespace millrace::processors {

// One list out of two, and who put what there.
struct Interleaved {
  Ranked ranked;             // algorithm "interleaved"
  std::vector<bool> second;  // by item: the second list put it there
};

// Team draft (Radlinski, Kurup, Joachims: How does clickthrough data reflect retrieval quality?,
// CIKM 2008, Algorithm 2): whose team is smaller, equal ones by a coin, puts its best item that is
// not there yet, until there are `limit`. A list that has nothing more to give leaves the rest to
// the other. The same `seed` throws the same coins.
Interleaved interleave(const Ranked& first, const Ranked& second, std::size_t limit,
                       std::uint64_t seed);

}  // namespace millrace::processors
