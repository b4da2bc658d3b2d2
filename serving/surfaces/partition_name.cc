#include "serving/surfaces/partition_name.h"

#include <algorithm>
#include <charconv>

namespace millrace::serving {

std::string partition_name(LogPartition partition) {
  return partition.topic == Topic::kCatalog ? "c" : "i" + std::to_string(partition.index);
}

Result<LogPartition> parse_partition(const std::string& text, const Deps& deps) {
  if (text == "c") return kCatalogPartition;
  std::uint16_t index = 0;
  const auto* end = text.data() + text.size();
  const auto parsed =
      std::from_chars(text.data() + std::min<std::size_t>(1, text.size()), end, index);
  const auto partitions = deps.engine->partitions();
  if (!text.starts_with('i') || parsed.ec != std::errc() || parsed.ptr != end ||
      index >= partitions) {
    return fail(Code::kInvalid, "must be c, or i0 to i" + std::to_string(partitions - 1),
                "partition");
  }
  return LogPartition{Topic::kInteractions, index};
}

Result<std::optional<LogPartition>> partition_param(const Request& request, const Deps& deps) {
  const auto text = request.query_value("partition");
  if (!text) return std::optional<LogPartition>();
  MILLRACE_TRY(const auto partition, parse_partition(std::string(*text), deps));
  return std::optional(partition);
}

}  // namespace millrace::serving
