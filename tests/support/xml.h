#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

// An XML element as tests look at one.
struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<XmlElement> children;
  std::string text;  // all character data directly in it

  std::string attribute(std::string_view wanted) const;
  std::vector<const XmlElement*> all(std::string_view child) const;
  std::string text_of(std::string_view child) const;  // of the first; "" when there is none
};

// The root of a document without DTD, comments, processing instructions and CDATA; nothing when it
// is not well-formed.
std::optional<XmlElement> parse_xml(std::string_view text);

}  // namespace millrace
