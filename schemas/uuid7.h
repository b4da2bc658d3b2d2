#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace millrace {

// Mints UUIDs of version 7 (RFC 9562) in their lower-case text form. Each one sorts after every
// earlier one of the same minter, also when the clock steps back. Thread-safe; holds no lock.
class Uuid7Minter {
 public:
  explicit Uuid7Minter(const Clock& clock) : clock_(&clock) {}
  std::string mint();

 private:
  const Clock* clock_;
  std::atomic<std::uint64_t> last_{0};  // milliseconds << 12 | counter
};

}  // namespace millrace
