#pragma once
#include <cstdint>

#include "processors/rules/rule.h"

namespace millrace::processors {

// THE list of rules: what folds interactions of that type. Types without one of their own only
// count.
Rule rule_for(std::uint32_t type_number);

}  // namespace millrace::processors
