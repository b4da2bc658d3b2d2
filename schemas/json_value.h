#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/json_writer.h"

namespace millrace {

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

// A JSON value as one piece of text, borrowed from what was parsed: of a string what it says
// (unescaped), of anything else its JSON text.
struct JsonText {
  JsonKind kind = JsonKind::kNull;
  std::string_view text;
};

struct JsonMember;

// A JSON value as a tree, for bodies that are not on the hot path.
struct Json {
  JsonKind kind = JsonKind::kNull;
  std::string text;                 // of a string what it says; of a number or bool its spelling
  std::vector<Json> elements;       // of an array
  std::vector<JsonMember> members;  // of an object, in order, without repeats

  // The member of that name that comes last in the text, or nullptr.
  const Json* find(std::string_view name) const;
  JsonText scalar() const { return {kind, text}; }
};

struct JsonMember {
  std::string name;
  Json value;
};

// kInvalid for text that is not JSON or not UTF-8; a name that comes twice keeps its last value.
Result<Json> parse_json(std::string_view text);

void append_json(JsonWriter& out, const Json& json);

}  // namespace millrace
