#include "schemas/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "schemas/utf8.h"

namespace millrace {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Bytes that stand for themselves in a JSON string without a look at their neighbours.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 0xf];
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

}  // namespace

void JsonWriter::separate() {
  if (after_value_) *out_ += ',';
  after_value_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  *out_ += bracket;
  after_value_ = false;
}

void JsonWriter::close(char bracket) {
  *out_ += bracket;
  after_value_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  quoted(name);
  *out_ += ':';
  after_value_ = false;
}

void JsonWriter::value(std::string_view text) {
  separate();
  quoted(text);
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) {
    raw("null");
    return;
  }
  separate();
  append_number(*out_, number);
}

void JsonWriter::raw(std::string_view json) {
  separate();
  *out_ += json;
}

void JsonWriter::integer(std::int64_t number) {
  separate();
  append_number(*out_, number);
}

void JsonWriter::natural(std::uint64_t number) {
  separate();
  append_number(*out_, number);
}

void JsonWriter::quoted(std::string_view text) {
  *out_ += '"';
  std::size_t run = 0;  // start of the bytes not yet copied
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (kPlain[byte]) {
      ++at;
      continue;
    }
    const std::size_t length = byte < 0x80 ? 0 : utf8_length(text.substr(at, 4));
    if (length > 0) {
      at += length;
      continue;
    }
    out_->append(text, run, at - run);
    if (byte < 0x80) {
      append_escape(*out_, text[at]);
    } else {
      *out_ += kReplacement;
    }
    run = ++at;
  }
  out_->append(text, run, text.size() - run);
  *out_ += '"';
}

}  // namespace millrace
