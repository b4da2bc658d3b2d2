#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

// Arrays and objects may nest this deep; deeper text is refused.
inline constexpr int kMaxJsonDepth = 64;

// That `text` is one JSON value by the grammar of RFC 8259, white space around it allowed. kInvalid
// with the byte where it stops being one. UTF-8 within strings is not looked at.
Status check_json(std::string_view text);

// The same value without white space between its tokens; numbers and strings keep their spelling.
Result<std::string> minify_json(std::string_view text);

}  // namespace millrace
