#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace::serving {

// Most name=value pairs that a query may have.
inline constexpr std::size_t kMaxQueryPairs = 256;

enum class Plus { kIsPlus, kIsSpace };  // what '+' stands for: itself in a path, a space in a query

// Undoes %XX. kInvalid for a broken escape, and for a result that is not UTF-8 or holds a NUL: no
// handler, store or answer then has to expect one.
Result<std::string> percent_decode(std::string_view text, Plus plus);

// "a=1&b&c=x+y", without '?', in the order sent. Empty pairs are skipped; a name without '=' has an
// empty value. kInvalid as above, and beyond kMaxQueryPairs.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

// A request target taken apart; views into the target.
struct TargetParts {
  std::string_view path;   // still encoded, starts with '/', or is "*"
  std::string_view query;  // still encoded, without '?'
};

// Origin form ("/a?b"), absolute form ("http://host/a?b", host ignored) and "*". kInvalid
// otherwise.
Result<TargetParts> split_target(std::string_view target);

}  // namespace millrace::serving
