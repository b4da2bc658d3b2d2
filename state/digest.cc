#include "state/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace millrace::state {
namespace {

void append_little_endian(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
  }
}

std::uint64_t read_little_endian(const char* from) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

}  // namespace

Digest& Digest::operator+=(const Digest& other) {
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
  return *this;
}

Digest& Digest::operator-=(const Digest& other) {
  const std::uint64_t borrow = low < other.low ? 1 : 0;
  low -= other.low;
  high -= other.high + borrow;
  return *this;
}

std::string Digest::text() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kHex[half >> shift & 15]);
  }
  return out;
}

std::string Digest::bytes() const {
  std::string out;
  out.reserve(16);
  append_little_endian(out, low);
  append_little_endian(out, high);
  return out;
}

Digest Digest::from_bytes(std::string_view text) {
  if (text.size() != 16) return {};
  return {read_little_endian(text.data()), read_little_endian(text.data() + 8)};
}

Digest row_digest(std::string_view key, std::string_view value) {
  // One contiguous buffer: XXH3's streaming form costs more than the copy of a page.
  static thread_local std::string row;
  row.clear();
  append_little_endian(row, key.size());
  row.append(key).append(value);
  const XXH128_hash_t hash = XXH3_128bits(row.data(), row.size());
  return {hash.low64, hash.high64};
}

}  // namespace millrace::state
