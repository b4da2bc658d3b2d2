// Targets, queries and escapes: whatever is taken is UTF-8 without NUL, bounded, and means the same
// when it is encoded and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "serving/http/query.h"

namespace {

using namespace millrace;
using namespace millrace::serving;

void must(bool holds) {
  if (!holds) std::abort();
}

void must_be_text(std::string_view text) {
  must(is_utf8(text));
  must(text.find('\0') == std::string_view::npos);
}

std::string encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

void check_query(std::string_view query) {
  const auto pairs = parse_query(query);
  if (!pairs) return;
  must(pairs->size() <= kMaxQueryPairs);
  std::string again;
  for (const auto& [name, value] : *pairs) {
    must_be_text(name);
    must_be_text(value);
    again += "&" + encode(name) + "=" + encode(value);
  }
  must(parse_query(again) == pairs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_query(input);
  const auto parts = split_target(input);
  if (!parts) return 0;
  must(parts->path == "*" || parts->path.starts_with('/'));
  must(parts->path.size() + parts->query.size() <= input.size() + 1);
  check_query(parts->query);
  const auto path = percent_decode(parts->path, Plus::kIsPlus);
  if (!path) return 0;
  must_be_text(*path);
  must(percent_decode(encode(*path), Plus::kIsPlus) == path);
  return 0;
}
