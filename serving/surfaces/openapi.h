#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace millrace::serving {

// A document of schemas/openapi/, in the layout that all of them have: two spaces an indent.
struct OpenApiDocument {
  std::string_view name;
  std::string_view text;
};

// One document of all: the first one's head, the paths of all side by side, and every component
// under "DOCUMENT.Name", with the references to it rewritten. At least one document.
std::string merged_openapi(const std::vector<OpenApiDocument>& documents);

}  // namespace millrace::serving
