#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace millrace::serving {

// Bytes [offset, offset + size) of a file; fewer at its end.
using ReadAt = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

// Says whether a file of `size` bytes is an MP4 (ISO/IEC 14496-12) that can be played: whole boxes
// from the first byte to the last, ftyp before all, media data, and a moov with a video track that
// describes its samples. Reads boxes' heads, never the media. kInvalid, field "file", says what is
// wrong; errors of `read` are passed on.
Status check_mp4(std::uint64_t size, const ReadAt& read);

// A file's first eight bytes may be an MP4's.
bool begins_like_mp4(std::string_view bytes);

}  // namespace millrace::serving
