#pragma once
#include <cstdint>
#include <string_view>

namespace millrace {

// Kafka's murmur2 over the key's bytes, as its Java client and `murmur2_random` compute it.
std::uint32_t murmur2(std::string_view key);

// The partition that a person's events live in, fixed for the life of a log of `partitions`.
std::uint16_t partition_of(std::string_view user, std::uint16_t partitions);

}  // namespace millrace
