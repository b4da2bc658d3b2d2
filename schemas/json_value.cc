#include "schemas/json_value.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "schemas/json_grammar.h"

namespace millrace {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

// Builds the tree of a text that check_json() has passed: nothing here can be malformed.
class Builder {
 public:
  explicit Builder(std::string_view text) : rest_(text) {}

  Json value() {
    space();
    Json json;
    switch (rest_.front()) {
      case '{': object(json); break;
      case '[': array(json); break;
      case '"':
        json.kind = JsonKind::kString;
        json.text = string();
        break;
      default: word(json);
    }
    space();
    return json;
  }

 private:
  void space() {
    const std::size_t start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(std::min(start, rest_.size()));
  }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void word(Json& json) {
    const char first = rest_.front();
    json.kind = first == 'n'                   ? JsonKind::kNull
                : first == 't' || first == 'f' ? JsonKind::kBool
                                               : JsonKind::kNumber;
    const std::size_t end = std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
    json.text = rest_.substr(0, end);
    rest_.remove_prefix(end);
  }

  void array(Json& json) {
    json.kind = JsonKind::kArray;
    take();
    space();
    if (rest_.front() == ']') {
      take();
      return;
    }
    do json.elements.push_back(value());
    while (take() == ',');
  }

  void object(Json& json) {
    json.kind = JsonKind::kObject;
    take();
    space();
    if (rest_.front() == '}') {
      take();
      return;
    }
    do {
      space();
      std::string name = string();
      space();
      take();  // the colon
      json.members.push_back({std::move(name), value()});
    } while (take() == ',');
    drop_repeats(json.members);
  }

  // Keeps the last of each name, in the order of what is kept. Sorts rather than compares all
  // pairs.
  static void drop_repeats(std::vector<JsonMember>& members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(std::string_view(members[a].name), a) <
             std::pair(std::string_view(members[b].name), b);
    });
    std::vector<bool> repeated(members.size(), false);
    bool any = false;
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (members[order[i - 1]].name != members[order[i]].name) continue;
      repeated[order[i - 1]] = any = true;
    }
    if (!any) return;
    std::vector<JsonMember> kept;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!repeated[i]) kept.push_back(std::move(members[i]));
    }
    members = std::move(kept);
  }

  std::string string() {
    std::string out;
    take();
    for (;;) {
      const std::size_t run = rest_.find_first_of("\"\\");
      out += rest_.substr(0, run);
      rest_.remove_prefix(run);
      if (take() == '"') return out;
      escape(out);
    }
  }

  void escape(std::string& out) {
    switch (const char kind = take()) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': append_utf8(out, code_point()); break;
      default: out += kind;
    }
  }

  // What `\u` escapes say; half a surrogate pair says U+FFFD.
  std::uint32_t code_point() {
    const std::uint32_t unit = hex4();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || rest_.substr(0, 2) != "\\u") return kReplacement;
    const std::string_view before = rest_;
    rest_.remove_prefix(2);
    const std::uint32_t low = hex4();
    if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    rest_ = before;
    return kReplacement;
  }

  std::uint32_t hex4() {
    std::uint32_t number = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = take();
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      number = number << 4 | static_cast<std::uint32_t>(digit);
    }
    return number;
  }

  std::string_view rest_;
};

}  // namespace

const Json* Json::find(std::string_view name) const {
  const auto member =
      std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == name; });
  return member == members.end() ? nullptr : &member->value;
}

Result<Json> parse_json(std::string_view text) {
  MILLRACE_CHECK(check_json(text));
  if (!is_utf8(text)) return fail(Code::kInvalid, "not UTF-8");
  return Builder(text).value();
}

void append_json(JsonWriter& out, const Json& json) {
  switch (json.kind) {
    case JsonKind::kString: out.value(json.text); return;
    case JsonKind::kArray:
      out.begin_array();
      for (const auto& element : json.elements) append_json(out, element);
      out.end_array();
      return;
    case JsonKind::kObject:
      out.begin_object();
      for (const auto& [name, value] : json.members) {
        out.key(name);
        append_json(out, value);
      }
      out.end_object();
      return;
    default: out.raw(json.text);
  }
}

}  // namespace millrace
