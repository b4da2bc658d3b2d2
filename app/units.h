#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::app {

// "512MiB", "1GB", "4096": binary (KiB, MiB, GiB, TiB) or decimal (kB, MB, GB, TB) units, or bytes.
// kInvalid for anything else, negative or beyond 2^63.
Result<std::uint64_t> parse_bytes(std::string_view text);

// The same amount in the largest binary unit that divides it, e.g. "512MiB". Parses back.
std::string bytes_text(std::uint64_t bytes);

// "100ms", "10s", "5m", "6h", "7d" or "0", in milliseconds. A number without a unit is kInvalid.
Result<std::int64_t> parse_duration_ms(std::string_view text);

// The same time in the largest unit that divides it, e.g. "6h". Parses back.
std::string duration_text(std::int64_t ms);

}  // namespace millrace::app
