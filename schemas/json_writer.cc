#include "schemas/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/json_text.h"

namespace millrace {
namespace {

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
  append_json_string(*out_, name);
  *out_ += ':';
  after_value_ = false;
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(*out_, text);
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

}  // namespace millrace
