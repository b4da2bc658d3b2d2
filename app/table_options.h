#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"

namespace millrace::app {

// The options that are tables of free names: listen, interactions, currencies, kafka_properties.
std::vector<Option> table_options();

// The name of a surface. kInvalid for what is none.
Result<std::string> read_surface(std::string_view name);

}  // namespace millrace::app
