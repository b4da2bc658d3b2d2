#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

// Appends JSON (RFC 8259, no white space) to a string it does not own. Commas come by themselves;
// that begins meet their ends, and that a key precedes each member's value, is the caller's part.
// Invalid UTF-8 becomes U+FFFD, doubles take their shortest form that reads back the same, NaN and
// infinities become null. Uses no heap but the string's. Not thread-safe.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(&out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(double number);
  void value(bool truth) { raw(truth ? "true" : "false"); }
  void value(std::nullptr_t) { raw("null"); }
  template <std::integral Number>
  void value(Number number) {
    if constexpr (std::signed_integral<Number>) {
      integer(static_cast<std::int64_t>(number));
    } else {
      natural(static_cast<std::uint64_t>(number));
    }
  }
  // `json` must be one JSON value.
  void raw(std::string_view json);

  template <class Value>
  void member(std::string_view name, const Value& of) {
    key(name);
    value(of);
  }
  void raw_member(std::string_view name, std::string_view json) {
    key(name);
    raw(json);
  }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void integer(std::int64_t number);
  void natural(std::uint64_t number);

  std::string* out_;
  bool after_value_ = false;
};

}  // namespace millrace
