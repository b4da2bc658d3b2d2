#include "serving/http/query.h"

#include <algorithm>
#include <cctype>

#include "base/json_text.h"

namespace millrace::serving {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(), [](char want, char c) {
           return want == std::tolower(static_cast<unsigned char>(c));
         });
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  bool ascii = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(Code::kInvalid, "'%' must be followed by two hexadecimal digits");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::kIsSpace) {
      c = ' ';
    }
    if (c == '\0') return fail(Code::kInvalid, "a NUL character is not allowed");
    ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    out += c;
  }
  if (!ascii && !is_utf8(out)) return fail(Code::kInvalid, "text must be UTF-8");
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (pairs.size() == kMaxQueryPairs) return fail(Code::kInvalid, "too many query parameters");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), Plus::kIsSpace);
    if (!name) return fail(Code::kInvalid, "in the query: " + name.error().detail);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), Plus::kIsSpace);
    if (!value) return fail(Code::kInvalid, "in the query: " + value.error().detail, *name);
    pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return pairs;
}

Result<TargetParts> split_target(std::string_view target) {
  if (target == "*") return TargetParts{target, {}};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_ignoring_case(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t slash = target.find_first_of("/?");
    if (slash == 0) return fail(Code::kInvalid, "the request target names no host");
    if (slash == std::string_view::npos) return TargetParts{"/", {}};
    target.remove_prefix(slash);
    if (target.front() == '?') return TargetParts{"/", target.substr(1)};
    break;
  }
  if (target.empty() || target.front() != '/') {
    return fail(Code::kInvalid, "the request target must be a path");
  }
  if (target.find('#') != std::string_view::npos) {
    return fail(Code::kInvalid, "the request target must not hold a fragment");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  return TargetParts{target.substr(0, question),
                     target.substr(std::min(question + 1, target.size()))};
}

}  // namespace millrace::serving
