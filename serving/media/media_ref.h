#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "schemas/json_value.h"

namespace millrace::serving {

// What an item's attribute `media` says of its file.
struct MediaRef {
  std::string file;  // names it on every node: 1 to 64 of a-z 0-9 -
  std::uint64_t bytes = 0;
  std::string digest;  // XXH3 of 128 bits, 32 hex digits
  std::string node;    // where it was uploaded

  friend bool operator==(const MediaRef&, const MediaRef&) = default;
};

// Nothing when there is none, or one that no upload made.
std::optional<MediaRef> media_ref(const Json& attributes);
void append_media(JsonWriter& out, const MediaRef& media);  // the member

}  // namespace millrace::serving
