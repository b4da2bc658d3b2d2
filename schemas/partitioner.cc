#include "schemas/partitioner.h"

#include <cstring>

namespace millrace {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28cU;
constexpr std::uint32_t kMultiplier = 0x5bd1e995U;

std::uint32_t byte_at(std::string_view key, std::size_t i) {
  return static_cast<std::uint8_t>(key[i]);
}

// Little-endian whatever the machine, as the Java client reads it.
std::uint32_t word_at(std::string_view key, std::size_t i) {
  return byte_at(key, i) | byte_at(key, i + 1) << 8 | byte_at(key, i + 2) << 16 |
         byte_at(key, i + 3) << 24;
}

}  // namespace

std::uint32_t murmur2(std::string_view key) {
  std::uint32_t h = kSeed ^ static_cast<std::uint32_t>(key.size());
  std::size_t i = 0;
  for (; i + 4 <= key.size(); i += 4) {
    std::uint32_t k = word_at(key, i) * kMultiplier;
    k ^= k >> 24;
    h = (h * kMultiplier) ^ (k * kMultiplier);
  }
  const std::size_t rest = key.size() - i;
  if (rest == 3) h ^= byte_at(key, i + 2) << 16;
  if (rest >= 2) h ^= byte_at(key, i + 1) << 8;
  if (rest >= 1) h = (h ^ byte_at(key, i)) * kMultiplier;
  h ^= h >> 13;
  h *= kMultiplier;
  return h ^ (h >> 15);
}

std::uint16_t partition_of(std::string_view user, std::uint16_t partitions) {
  // Kafka's toPositive: the sign bit is cut off, not folded.
  return static_cast<std::uint16_t>((murmur2(user) & 0x7fffffffU) % partitions);
}

}  // namespace millrace
