#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace millrace {

// What one part of something takes in memory, about.
struct MemoryPart {
  std::string_view name;  // as a label of metrics, of static life
  std::size_t bytes = 0;
};

inline std::size_t sum_of(const std::vector<MemoryPart>& parts) {
  std::size_t bytes = 0;
  for (const MemoryPart& part : parts) bytes += part.bytes;
  return bytes;
}

}  // namespace millrace
