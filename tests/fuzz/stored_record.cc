#include <cstdlib>
#include <string_view>

#include "schemas/catalog_record.h"
#include "schemas/record.h"

// Whatever decodes is encoded to bytes that decode to the same.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto log_record = decode_log_record(bytes);
  if (log_record.has_value() && decode_log_record(encode(*log_record)) != log_record) std::abort();
  const auto catalog_record = decode_catalog_record(bytes);
  if (catalog_record.has_value() &&
      decode_catalog_record(encode(*catalog_record)) != catalog_record) {
    std::abort();
  }
  const auto item = decode_item(bytes);
  if (item.has_value() && decode_item(encode(*item)) != item) std::abort();
  return 0;
}
