#pragma once
#include <string>
#include <string_view>

namespace millrace {

// Appends `text` to `out` as a JSON string with its quotes (RFC 8259). Each byte that is not part
// of well-formed UTF-8 becomes U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

// Length in bytes (1 to 4) of the well-formed UTF-8 sequence that `text` starts with; 0 when it
// starts with none.
std::size_t utf8_sequence(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace millrace
