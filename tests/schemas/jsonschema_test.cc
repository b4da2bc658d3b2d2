#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "schemas/interaction_table.h"
#include "schemas/item_json.h"
#include "schemas/json_value.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

const fs::path kSchemas = fs::path(MILLRACE_SOURCE_DIR) / "schemas" / "jsonschema";

Json read_json(const fs::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto json = parse_json(text);
  EXPECT_TRUE(json.has_value()) << path;
  return json.has_value() ? *json : Json{};
}

std::string printed(const Json& json) {
  std::string out;
  JsonWriter writer(out);
  append_json(writer, json);
  return out;
}

// The field that the parser refuses in the one event or item, "" if it accepts it.
std::string event_verdict(const Json& event) {
  const auto events = parse_events("[" + printed(event) + "]", BodyKind::kJson);
  if (!events.has_value()) return events.error().field;
  return events->front().event.has_value() ? "" : events->front().event.error().field;
}

std::string item_verdict(const Json& item) {
  const auto items = parse_items("[" + printed(item) + "]", BodyKind::kJson);
  if (!items.has_value()) return items.error().field;
  return items->front().item.has_value() ? "" : items->front().item.error().field;
}

template <class Verdict>
void check_examples(const fs::path& path, std::string_view what, Verdict verdict) {
  const Json schema = read_json(path);
  ASSERT_NE(schema.find("examples"), nullptr) << path;
  ASSERT_NE(schema.find("x-invalid-examples"), nullptr) << path;
  EXPECT_FALSE(schema.find("examples")->elements.empty()) << path;
  for (const auto& example : schema.find("examples")->elements) {
    EXPECT_EQ(verdict(example), "") << path << ": " << printed(example);
  }
  for (const auto& example : schema.find("x-invalid-examples")->elements) {
    EXPECT_EQ(verdict(*example.find(what)), example.find("field")->text)
        << path << ": " << printed(example);
  }
}

TEST(JsonSchemas, ExamplesOfEventsPassTheParser) {
  check_examples(kSchemas / "event.json", "event", event_verdict);
  for (const auto& entry : fs::directory_iterator(kSchemas / "events")) {
    check_examples(entry.path(), "event", event_verdict);
  }
}

TEST(JsonSchemas, ExamplesOfItemsPassTheParser) {
  check_examples(kSchemas / "item.json", "item", item_verdict);
}

TEST(JsonSchemas, EveryTypeHasItsOwnWithExamplesOfThatType) {
  const InteractionTable table;
  for (const auto& type : table.rows()) {
    const fs::path path = kSchemas / "events" / (type.name + ".json");
    ASSERT_TRUE(fs::exists(path)) << path;
    const Json schema = read_json(path);
    for (const auto& example : schema.find("examples")->elements) {
      EXPECT_EQ(example.find("type")->text, type.name);
    }
  }
  for (const auto& entry : fs::directory_iterator(kSchemas / "events")) {
    EXPECT_NE(table.find(entry.path().stem().string()), nullptr) << entry.path();
  }
}

}  // namespace
}  // namespace millrace
