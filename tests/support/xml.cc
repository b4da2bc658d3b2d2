#include "tests/support/xml.h"

#include <array>

namespace millrace {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<XmlElement> document() {
    if (rest_.starts_with("<?xml ")) {
      const auto end = rest_.find("?>");
      if (end == rest_.npos) return std::nullopt;
      rest_.remove_prefix(end + 2);
    }
    skip_space();
    auto root = element();
    skip_space();
    return rest_.empty() ? root : std::nullopt;
  }

 private:
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos) {
      rest_.remove_prefix(1);
    }
  }
  std::string name() {
    const auto end = rest_.find_first_of(" \t\r\n/>=<&\"'");
    const std::string found(rest_.substr(0, end));
    rest_.remove_prefix(found.size());
    return found;
  }

  // Character data up to `stop`, unescaped; `stop` itself stays.
  std::optional<std::string> characters(char stop) {
    constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
        {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
    std::string out;
    while (!rest_.empty() && rest_[0] != stop) {
      if (rest_[0] == '<' || (stop == '<' && rest_.starts_with("]]>"))) return std::nullopt;
      if (rest_[0] != '&') {
        const auto byte = static_cast<unsigned char>(rest_[0]);
        if (byte < 0x20 && byte != '\n' && byte != '\t') return std::nullopt;
        out += rest_[0];
        rest_.remove_prefix(1);
        continue;
      }
      bool known = false;
      for (const auto& [entity, character] : kEntities) {
        if (known || !take(entity)) continue;
        out += character;
        known = true;
      }
      if (!known) return std::nullopt;
    }
    return out;
  }

  std::optional<XmlElement> element() {
    if (!take("<")) return std::nullopt;
    XmlElement out;
    out.name = name();
    if (out.name.empty()) return std::nullopt;
    while (true) {
      skip_space();
      if (take("/>")) return out;
      if (take(">")) break;
      std::string key = name();
      if (key.empty() || !out.attribute(key).empty() || !take("=\"")) return std::nullopt;
      auto value = characters('"');
      if (!value || !take("\"")) return std::nullopt;
      out.attributes.emplace_back(std::move(key), *std::move(value));
    }
    while (true) {
      const auto text = characters('<');
      if (!text) return std::nullopt;
      out.text += *text;
      if (take("</")) return name() == out.name && take(">") ? std::optional(out) : std::nullopt;
      auto child = element();
      if (!child) return std::nullopt;
      out.children.push_back(*std::move(child));
    }
  }

  std::string_view rest_;
};

}  // namespace

std::string XmlElement::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes) {
    if (key == wanted) return value;
  }
  return {};
}

std::vector<const XmlElement*> XmlElement::all(std::string_view child) const {
  std::vector<const XmlElement*> found;
  for (const auto& one : children) {
    if (one.name == child) found.push_back(&one);
  }
  return found;
}

std::string XmlElement::text_of(std::string_view child) const {
  const auto found = all(child);
  return found.empty() ? std::string() : found.front()->text;
}

std::optional<XmlElement> parse_xml(std::string_view text) { return Reader(text).document(); }

}  // namespace millrace
