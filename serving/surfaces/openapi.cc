#include "serving/surfaces/openapi.h"

#include <algorithm>
#include <map>

namespace millrace::serving {
namespace {

// "accounts.yaml#/components/schemas/Id" -> "#/components/schemas/accounts.Id"; what names no
// document is of `self`.
std::string with_references(std::string_view line, std::string_view self) {
  constexpr std::string_view kMark = "#/components/";
  constexpr std::string_view kEnding = ".yaml";
  std::string out;
  for (std::size_t mark = line.find(kMark); mark != line.npos; mark = line.find(kMark)) {
    const std::size_t quote = line.rfind('"', mark) + 1;
    const std::size_t name = line.find('/', mark + kMark.size()) + 1;
    auto document = line.substr(quote, mark - quote);
    document = document.empty() ? self : document.substr(0, document.size() - kEnding.size());
    out.append(line.substr(0, quote)).append(line.substr(mark, name - mark));
    out.append(document).append(".");
    line.remove_prefix(name);
  }
  return out.append(line);
}

class Merger {
 public:
  void add(const OpenApiDocument& document) {
    document_ = document.name;
    std::string_view rest = document.text;
    std::string section;
    while (!rest.empty()) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.empty() && line.front() != ' ') {
        section = line.substr(0, line.find(':'));
      } else if (section == "components") {
        add_component(line);
      } else if (section == "info" && !first_) {
        add_description(line);
      } else if (section != "servers" || first_) {
        sections_[section].append(with_references(line, document_)).append("\n");
      }
    }
    first_ = false;
  }

  std::string text() const {
    std::string out = "openapi: 3.1.0\n";
    for (const char* name : {"info", "servers", "tags", "paths"}) {
      const auto lines = sections_.find(name);
      if (lines != sections_.end()) out.append(name).append(":\n").append(lines->second);
    }
    out.append("components:\n");
    for (const auto& [kind, lines] : components_) {
      out.append("  ").append(kind).append(":\n").append(lines);
    }
    return out;
  }

 private:
  // The head's last field is its description, where what the others say of themselves goes on.
  void add_description(std::string_view line) {
    constexpr std::string_view kTitle = "  title: ";
    if (line.starts_with(kTitle)) {
      line.remove_prefix(kTitle.size());
      if (line.starts_with('"')) line = line.substr(1, line.size() - 2);
      sections_["info"].append("\n    ## ").append(line).append("\n\n");
    } else if (line.empty() || line.starts_with("    ")) {
      sections_["info"].append(line).append("\n");
    }
  }

  void add_component(std::string_view line) {
    const auto indent = line.find_first_not_of(' ');
    if (indent == line.npos) return;
    if (indent == 2) {
      kind_ = line.substr(2, line.find(':') - 2);
      return;
    }
    const bool credentials = kind_ == "securitySchemes";
    if (credentials && !first_) return;  // the same in all
    auto& lines = components_[kind_];
    if (indent == 4 && !credentials) {
      lines.append("    ").append(document_).append(".");
      line.remove_prefix(4);
    }
    lines.append(with_references(line, document_)).append("\n");
  }

  bool first_ = true;
  std::string_view document_;
  std::string kind_;  // of components
  std::map<std::string, std::string> sections_, components_;
};

}  // namespace

std::string merged_openapi(const std::vector<OpenApiDocument>& documents) {
  Merger merger;
  for (const auto& document : documents) merger.add(document);
  return merger.text();
}

}  // namespace millrace::serving
