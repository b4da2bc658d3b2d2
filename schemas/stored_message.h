#pragma once
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

// What those share who read protobuf messages from stored bytes.

inline tl::unexpected<Error> corrupt_bytes(std::string_view what) {
  return fail(Code::kCorrupt, "stored bytes are no " + std::string(what));
}

// False when the bytes are no such message.
template <class Message>
bool parse_message(Message& message, std::string_view bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace millrace
