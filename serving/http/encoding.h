#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::serving {

// True when an Accept-Encoding value lets the answer be gzipped: "gzip" or "*" with a q above 0,
// and not less than that of "identity" (RFC 9110 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

// Types worth compressing: text, JSON, XML, JavaScript, SVG.
bool is_compressible(std::string_view content_type);

// True when an If-None-Match value ("*" or a list of tags) holds `etag`, by weak comparison.
bool etag_matches(std::string_view if_none_match, std::string_view etag);

// Compresses one text after another with one set of zlib's tables. Not thread-safe.
class Gzipper {
 public:
  explicit Gzipper(int level);
  ~Gzipper();
  Gzipper(const Gzipper&) = delete;
  Gzipper& operator=(const Gzipper&) = delete;

  std::string compress(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The text of a gzip file (one member or several). kInvalid when it is none or is cut short;
// kTooLarge when the text would have more than `max_bytes`, noticed before more than that is held.
Result<std::string> gunzip(std::string_view bytes, std::size_t max_bytes);

}  // namespace millrace::serving
