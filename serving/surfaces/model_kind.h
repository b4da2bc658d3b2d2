#pragma once
#include <string_view>
#include <vector>

#include "base/result.h"
#include "processors/training/trainer.h"

namespace millrace::serving {

std::vector<processors::ModelKind> model_kinds();  // all of them

// The kind of model of that name. kInvalid names `field` and all kinds.
Result<processors::ModelKind> model_kind(std::string_view name, const char* field);

}  // namespace millrace::serving
