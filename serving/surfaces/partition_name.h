#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "schemas/ids.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// "i3" for a partition of `interactions`, "c" for `catalog`.
std::string partition_name(LogPartition partition);

// One that this node has; kInvalid, field "partition", for other text.
Result<LogPartition> parse_partition(const std::string& text, const Deps& deps);
// ?partition=; nothing when absent.
Result<std::optional<LogPartition>> partition_param(const Request& request, const Deps& deps);

}  // namespace millrace::serving
