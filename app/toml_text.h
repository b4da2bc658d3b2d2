#pragma once
#include <string>
#include <string_view>

#include "app/config.h"
#include "base/result.h"

namespace millrace::app {

// The values of a TOML file as (dotted key, text), in the order of the file's tables. kInvalid,
// with `name` and line in the detail, for bad TOML and for values that are neither text, number nor
// bool.
Result<Settings> read_toml(std::string_view text, const std::string& name);

}  // namespace millrace::app
