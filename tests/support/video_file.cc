#include "tests/support/video_file.h"

#include <fstream>
#include <iterator>

namespace millrace {

std::string tiny_mp4() {
  std::ifstream in(std::string(MILLRACE_SOURCE_DIR) + "/tests/e2e/fixtures/tiny.mp4",
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace millrace
