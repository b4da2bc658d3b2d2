#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/event_json.h"
#include "schemas/item.h"
#include "schemas/json_writer.h"

namespace millrace {

// What one item of a request came to.
struct ItemOutcome {
  std::string id;  // as given, empty if none was
  Result<Item> item;
};

inline constexpr std::size_t kMaxItems = 10'000;

// One item. `id_from_path` stands in for a missing `id`, and must be equal to one that is given.
// kInvalid names the field and the rule; a body that is no JSON object names the field `body`.
//
// Members: id; kind (by default the id's part before the colon, or "content"); title; categories,
// also as `genres`; tags; price; created and published (RFC 3339 or milliseconds); hidden;
// parent, an id; attributes, an object. What else there is becomes an attribute, save for the
// numbers that answers add to items (views, score, ...): those are ignored, so that what was read
// can be sent back.
Result<Item> parse_item(std::string_view json, const std::optional<ItemId>& id_from_path);

// Many: an array, {"items": [...]}, a single item, or NDJSON. Fails as parse_events() does.
Result<std::vector<ItemOutcome>> parse_items(std::string_view body, BodyKind kind,
                                             std::size_t max_items = kMaxItems);

// An item as one object; parse_item() reads it back.
void append_item_json(JsonWriter& out, const Item& item);

// Its members alone, for answers that add their own to the same object.
void append_item_members(JsonWriter& out, const Item& item);

}  // namespace millrace
