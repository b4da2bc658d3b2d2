#pragma once
#include <cstddef>

namespace millrace {

// Asks for memory that is soon needed, so that several places are fetched side by side; for a null
// pointer nothing.
inline void prefetch(const void* from, std::size_t bytes = 1) {
  constexpr std::size_t kLine = 64;
  const char* const at = static_cast<const char*>(from);
  if (at == nullptr) return;
  for (std::size_t offset = 0; offset < bytes; offset += kLine) __builtin_prefetch(at + offset);
}

}  // namespace millrace
