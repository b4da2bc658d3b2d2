#include "serving/surfaces/model_kind.h"

#include <string>

namespace millrace::serving {

std::vector<processors::ModelKind> model_kinds() {
  std::vector<processors::ModelKind> kinds;
  for (std::size_t i = 0; i < processors::kModelKinds; ++i) {
    kinds.push_back(static_cast<processors::ModelKind>(i));
  }
  return kinds;
}

Result<processors::ModelKind> model_kind(std::string_view name, const char* field) {
  std::string known;
  for (const auto kind : model_kinds()) {
    if (processors::model_name(kind) == name) return kind;
    known += (known.empty() ? "" : ", ") + std::string(processors::model_name(kind));
  }
  return fail(Code::kInvalid, "must be one of " + known, field);
}

}  // namespace millrace::serving
