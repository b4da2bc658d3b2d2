#include "schemas/item_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "schemas/json_value.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"

namespace millrace {
namespace {

constexpr std::size_t kMaxTitleBytes = 1024, kMaxNameBytes = 128, kMaxAttributesBytes = 16 * 1024;
constexpr std::size_t kMaxCategories = 64, kMaxTags = 256, kMaxAttributes = 1024;

// What answers say about an item beside the item itself.
constexpr std::array<std::string_view, 12> kReadOnly = {
    "views",        "likes",          "shares",     "saves",       "plays", "watch_count",
    "rating_count", "average_rating", "popularity", "trend_score", "score", "parts"};

tl::unexpected<Error> broken(std::string_view field, std::string rule) {
  return fail(Code::kInvalid, std::move(rule), std::string(field));
}

Result<std::vector<std::string>> names_of(const Json& list, const std::string& field,
                                          std::size_t max_names) {
  if (list.kind != JsonKind::kArray) return broken(field, "must be a list of texts");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.elements.size(); ++i) {
    const std::string at = field + "[" + std::to_string(i) + "]";
    MILLRACE_TRY(std::string name, line_of(list.elements[i].scalar(), at, kMaxNameBytes));
    if (name.empty()) return broken(at, "must not be empty");
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
    if (names.size() > max_names) {
      return broken(field, "must be at most " + std::to_string(max_names) + " texts");
    }
  }
  return names;
}

Result<UnixMillis> item_time_of(const Json& value, std::string_view field) {
  if (value.kind == JsonKind::kNumber) return integer_of(value.scalar(), field, kMinTime, kMaxTime);
  return time_of(value.scalar(), field);
}

Result<std::string> kind_of(const Json& value) {
  if (value.kind != JsonKind::kString || !is_kind(value.text)) {
    return broken("kind", "must be 1 to 32 of a-z 0-9 _ -");
  }
  return value.text;
}

std::string default_kind(std::string_view id) {
  const std::size_t colon = id.find(':');
  const std::string_view kind = colon == id.npos ? "" : id.substr(0, colon);
  return std::string(is_kind(kind) ? kind : "content");
}

// The free members of an item, those under `attributes` first.
class Attributes {
 public:
  void add(const std::string& name, const Json& value) {
    if (members_.members.size() > kMaxAttributes) return;  // text() will say so
    if (members_.find(name) == nullptr) members_.members.push_back({name, value});
  }
  Result<std::string> text() const {
    if (members_.members.empty()) return std::string();
    if (members_.members.size() > kMaxAttributes) {
      return broken("attributes", "must be at most 1024, free members included");
    }
    std::string out;
    JsonWriter writer(out);
    append_json(writer, members_);
    if (out.size() > kMaxAttributesBytes) {
      return broken("attributes", "must be at most 16 KiB of JSON, free members included");
    }
    return out;
  }

 private:
  Json members_{JsonKind::kObject, {}, {}, {}};
};

// Reads the members of one item; what is left over goes to its attributes.
class ItemReader {
 public:
  explicit ItemReader(const Json& json) : json_(&json) {}

  Result<Item> read(const std::optional<ItemId>& id_from_path) {
    if (json_->kind != JsonKind::kObject) return broken("item", "must be a JSON object");
    MILLRACE_CHECK(read_id(id_from_path));
    item_.kind = default_kind(item_.id.value);
    if (const Json* given = find("attributes")) {
      if (given->kind != JsonKind::kObject) return broken("attributes", "must be a JSON object");
      for (const auto& [name, value] : given->members) attributes_.add(name, value);
    }
    for (const auto& [name, value] : json_->members) {
      if (value.kind != JsonKind::kNull || !is_known(name)) MILLRACE_CHECK(member(name, value));
    }
    MILLRACE_TRY(item_.attributes, attributes_.text());
    return std::move(item_);
  }

 private:
  const Json* find(std::string_view name) const {
    const Json* value = json_->find(name);
    return value == nullptr || value->kind == JsonKind::kNull ? nullptr : value;
  }

  static bool is_known(std::string_view name) {
    constexpr std::array<std::string_view, 12> kKnown = {
        "id",    "kind",    "title",     "categories", "genres", "tags",
        "price", "created", "published", "hidden",     "parent", "attributes"};
    return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
  }

  Status read_id(const std::optional<ItemId>& id_from_path) {
    const Json* given = find("id");
    if (given == nullptr && !id_from_path) return broken("id", "is required");
    if (given == nullptr) {
      MILLRACE_CHECK(check_id(id_from_path->value, "id"));
      item_.id = *id_from_path;
      return {};
    }
    MILLRACE_TRY(item_.id.value, id_of(given->scalar(), "id"));
    if (id_from_path && item_.id != *id_from_path) {
      return broken("id", "must be the id that the path names");
    }
    return {};
  }

  // Applies to members that are known and not null, and to all unknown ones.
  Status member(const std::string& name, const Json& value) {
    if (name == "id" || name == "attributes") return {};
    if (name == "kind") return keep(item_.kind, kind_of(value));
    if (name == "title") return keep(item_.title, line_of(value.scalar(), name, kMaxTitleBytes));
    if (name == "categories") return keep(item_.categories, names_of(value, name, kMaxCategories));
    if (name == "genres") {
      if (find("categories") != nullptr) return {};
      return keep(item_.categories, names_of(value, name, kMaxCategories));
    }
    if (name == "tags") return keep(item_.tags, names_of(value, name, kMaxTags));
    if (name == "price") return keep(item_.price, price_of(value.scalar(), name));
    if (name == "created") return keep(item_.created, item_time_of(value, name));
    if (name == "published") return keep(item_.published, item_time_of(value, name));
    if (name == "parent") return keep(item_.parent.value, id_of(value.scalar(), name));
    if (name == "hidden") {
      if (value.kind != JsonKind::kBool) return broken(name, "must be true or false");
      item_.hidden = value.text == "true";
      return {};
    }
    if (std::find(kReadOnly.begin(), kReadOnly.end(), name) == kReadOnly.end()) {
      attributes_.add(name, value);
    }
    return {};
  }

  template <class Target, class Value>
  static Status keep(Target& target, Result<Value> value) {
    MILLRACE_TRY(target, std::move(value));
    return {};
  }

  const Json* json_;
  Item item_;
  Attributes attributes_;
};

ItemOutcome outcome_of(const Json& json) {
  const Json* id = json.find("id");
  const bool named =
      id != nullptr && (id->kind == JsonKind::kString || id->kind == JsonKind::kNumber);
  std::string text = named && check_id(id->text, "id").has_value() ? id->text : "";
  return {std::move(text), ItemReader(json).read(std::nullopt)};
}

tl::unexpected<Error> not_json(std::string_view why) {
  return broken("body", "the body is no valid JSON: " + std::string(why));
}

tl::unexpected<Error> too_many(std::size_t max_items) {
  return fail(Code::kTooLarge, "at most " + std::to_string(max_items) + " items at a time", "body");
}

using Outcomes = Result<std::vector<ItemOutcome>>;

Outcomes read_lines(std::string_view body, std::size_t max_items) {
  std::vector<ItemOutcome> outcomes;
  std::size_t no_json = 0;
  while (!body.empty()) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    if (outcomes.size() == max_items) return too_many(max_items);
    const auto json = parse_json(line);
    if (json.has_value()) {
      outcomes.push_back(outcome_of(*json));
    } else {
      ++no_json;
      outcomes.push_back({"", broken("item", json.error().detail)});
    }
  }
  if (no_json > 0 && no_json == outcomes.size()) return not_json("no line of it is");
  return outcomes;
}

void list_member(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name);
  out.begin_array();
  for (const auto& text : texts) out.value(text);
  out.end_array();
}

}  // namespace

Result<Item> parse_item(std::string_view json, const std::optional<ItemId>& id_from_path) {
  const auto parsed = parse_json(json);
  if (!parsed.has_value()) return not_json(parsed.error().detail);
  if (parsed->kind != JsonKind::kObject) return broken("body", "must be a JSON object");
  return ItemReader(*parsed).read(id_from_path);
}

Result<std::vector<ItemOutcome>> parse_items(std::string_view body, BodyKind kind,
                                             std::size_t max_items) {
  if (kind == BodyKind::kNdjson) return read_lines(body, max_items);
  const auto json = parse_json(body);
  if (!json.has_value()) return not_json(json.error().detail);
  const Json* wrapped = json->find("items");
  const Json& list = wrapped != nullptr && wrapped->kind == JsonKind::kArray ? *wrapped : *json;
  std::vector<ItemOutcome> outcomes;
  if (list.kind == JsonKind::kObject) {
    outcomes.push_back(outcome_of(list));
    return outcomes;
  }
  if (list.kind != JsonKind::kArray) return broken("body", "must be an item or a list of items");
  if (list.elements.size() > max_items) return too_many(max_items);
  for (const auto& element : list.elements) outcomes.push_back(outcome_of(element));
  return outcomes;
}

void append_item_members(JsonWriter& out, const Item& item) {
  out.member("id", item.id.value);
  out.member("kind", item.kind);
  out.member("title", item.title);
  list_member(out, "categories", item.categories);
  list_member(out, "tags", item.tags);
  if (!item.price.empty()) out.member("price", item.price);
  if (item.created) out.member("created", rfc3339(*item.created));
  if (item.published) out.member("published", rfc3339(*item.published));
  if (!item.attributes.empty()) out.raw_member("attributes", item.attributes);
  if (item.hidden) out.member("hidden", true);
  if (!item.parent.value.empty()) out.member("parent", item.parent.value);
}

void append_item_json(JsonWriter& out, const Item& item) {
  out.begin_object();
  append_item_members(out, item);
  out.end_object();
}

}  // namespace millrace
