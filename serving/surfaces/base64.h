#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace millrace::serving {

// Base64 with the alphabet that is safe in URLs, without padding (RFC 4648, 5).
std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);  // nothing for other text

// The plain alphabet, with padding (RFC 4648, 4).
std::string base64(std::string_view bytes);

}  // namespace millrace::serving
