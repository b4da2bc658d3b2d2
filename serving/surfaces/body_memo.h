#pragma once
#include <cstddef>
#include <string>

#include "serving/surfaces/memo.h"

namespace millrace::serving {

// A body that was rendered once, with its entity tag (quoted).
struct Rendered {
  std::string body;
  std::string etag;
};
inline std::size_t memory_bytes(const Rendered& rendered) {
  return rendered.body.size() + rendered.etag.size();
}

using BodyMemo = Memo<Rendered>;

}  // namespace millrace::serving
