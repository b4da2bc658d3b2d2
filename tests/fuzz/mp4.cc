// Boxes of a file: whatever it holds, little of it is read, and only within it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serving/media/mp4.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  std::size_t reads = 0;
  const auto checked =
      serving::check_mp4(size, [&](std::uint64_t offset, std::size_t count) -> Result<std::string> {
        must(offset < size && count <= 16 && ++reads <= 200'000);
        return std::string(file.substr(static_cast<std::size_t>(offset), count));
      });
  must(checked || checked.error().field == "file");
  must(!checked || serving::begins_like_mp4(file));
  return 0;
}
