#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::state {

// 128 bits that stand for stored rows: the digest of a set of rows is the sum (mod 2^128) of
// theirs, so that it can be kept up to date row by row and does not depend on order.
struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  Digest& operator+=(const Digest& other);
  Digest& operator-=(const Digest& other);
  std::string text() const;                         // 32 hex digits
  std::string bytes() const;                        // 16 bytes, as stored
  static Digest from_bytes(std::string_view text);  // zero unless 16 bytes
  friend bool operator==(const Digest&, const Digest&) = default;
};

// The digest of the row that a value was last written as, kept beside the value. A copy is another
// value and has no row yet: copying copies nothing, and so never races with who writes the row.
struct StoredDigest {
  Digest value;

  StoredDigest() = default;
  StoredDigest(const StoredDigest&) {}
  StoredDigest& operator=(const StoredDigest&) { return *this; }
};

// XXH3-128 of key length, key and value.
Digest row_digest(std::string_view key, std::string_view value);

}  // namespace millrace::state
