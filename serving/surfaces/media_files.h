#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// /media/videos/: the files of videos and their posters, whole and in ranges.
std::vector<Route> media_file_routes(const Deps& deps);

// What a `Range` field asks for of `size` bytes (RFC 9110 14.2). Several ranges at once, and what
// is no range of bytes, are answered with the whole.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;       // one past the last
  bool part = false;           // 206
  bool unsatisfiable = false;  // 416
};
ByteRange byte_range(std::optional<std::string_view> field, std::uint64_t size);

}  // namespace millrace::serving
