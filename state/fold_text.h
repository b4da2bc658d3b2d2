#pragma once
#include <string>
#include <string_view>

namespace millrace::state {

// `text` as people search for it: small letters, Latin letters without their accents ("Amélie" and
// "amelie" are one), Greek and Cyrillic in small letters, combining accents dropped. Bytes that are
// not UTF-8 stay as they are.
std::string fold_text(std::string_view text);

}  // namespace millrace::state
