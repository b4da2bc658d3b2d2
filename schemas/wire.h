#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace::wire {

// Protobuf's wire format by hand, for the messages that every event reads or writes: no message
// object, no copies of text. Writers put fields in ascending order and leave out zeros and empty
// text, as protobuf's own do, so that the bytes are the same (tests/schemas/wire_test.cc).

enum class Kind : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

constexpr std::size_t kMaxVarint = 10;

// Writes at `to`, which has room for kMaxVarint bytes; answers the byte behind.
inline char* put_varint(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

inline char* put_tag(char* to, std::uint32_t field, Kind kind) {
  return put_varint(to, std::uint64_t{field} << 3 | static_cast<std::uint64_t>(kind));
}

// Reads what put_varint wrote, unchecked, and moves `at` behind it.
inline std::uint64_t get_varint(const char*& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

// Appends to a string, whose capacity is the caller's to keep.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void varint(std::uint64_t value) {
    char bytes[kMaxVarint];
    out_.append(bytes, static_cast<std::size_t>(put_varint(bytes, value) - bytes));
  }
  void present(std::uint32_t field, std::uint64_t value) {  // also when zero: an optional's
    char bytes[2 * kMaxVarint];
    char* const at = put_varint(put_tag(bytes, field, Kind::kVarint), value);
    out_.append(bytes, static_cast<std::size_t>(at - bytes));
  }
  void number(std::uint32_t field, std::uint64_t value) {
    if (value != 0) present(field, value);
  }
  void signed_number(std::uint32_t field, std::int64_t value) { number(field, zigzag(value)); }
  void text(std::uint32_t field, std::string_view value) {
    if (!value.empty()) message(field, value);
  }
  void message(std::uint32_t field, std::string_view bytes) {  // also when empty
    char head[2 * kMaxVarint];
    char* const at = put_varint(put_tag(head, field, Kind::kBytes), bytes.size());
    out_.append(head, static_cast<std::size_t>(at - head));
    out_.append(bytes);
  }

 private:
  std::string& out_;
};

// Reads the fields of one message. `next()` is false at the end and when the bytes are no message;
// ok() tells which.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool next() {
    if (at_ == end_ || !ok_) return false;
    const std::uint64_t tag = take_varint();
    field_ = static_cast<std::uint32_t>(tag >> 3);
    switch (static_cast<Kind>(tag & 7)) {
      case Kind::kVarint: value_ = take_varint(); break;
      case Kind::kFixed64: bytes_ = take(8); break;
      case Kind::kBytes: bytes_ = take(take_varint()); break;
      case Kind::kFixed32: bytes_ = take(4); break;
      default: ok_ = false;
    }
    kind_ = static_cast<Kind>(tag & 7);
    ok_ = ok_ && field_ != 0 && tag >> 32 == 0;
    return ok_;
  }
  bool ok() const { return ok_; }
  std::uint32_t field() const { return field_; }

  // Of the field: whether it is of that kind, and so means what this reader thinks it does. One of
  // another kind is an unknown field.
  bool is(Kind kind) const { return kind_ == kind; }
  std::uint64_t value() const { return value_; }
  std::string_view bytes() const { return bytes_; }

 private:
  std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (int shift = 0; at_ != end_ && shift < 70; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view take(std::uint64_t size) {
    if (!ok_ || size > static_cast<std::uint64_t>(end_ - at_)) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
  Kind kind_ = Kind::kVarint;
  std::uint32_t field_ = 0;
  std::uint64_t value_ = 0;
  std::string_view bytes_;
};

}  // namespace millrace::wire
