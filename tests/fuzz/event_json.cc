#include "schemas/event_json.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "schemas/item_json.h"

namespace millrace {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// What was accepted prints as an event that is accepted as the same.
void check_round_trip(const Event& event) {
  std::string text;
  JsonWriter writer(text);
  append_event_json(writer, Interaction{event, 1, 1}, event.type);
  const auto again = parse_events(text, BodyKind::kStructured);
  require(again.has_value() && again->size() == 1 && again->front().event == event);
}

void check_round_trip(const Item& item) {
  std::string text;
  JsonWriter writer(text);
  append_item_json(writer, item);
  require(parse_item(text, item.id) == item);
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto kind : {BodyKind::kJson, BodyKind::kStructured, BodyKind::kBatch}) {
    const auto events = parse_events(body, kind);
    if (!events.has_value()) continue;
    for (const auto& outcome : *events) {
      if (outcome.event.has_value()) check_round_trip(*outcome.event);
    }
  }
  const auto binary = event_from_binary({}, "", body);
  require(!binary.has_value() || !binary->event.has_value());  // nothing said its type
  const auto items = parse_items(body, BodyKind::kJson);
  if (items.has_value()) {
    for (const auto& outcome : *items) {
      if (outcome.item.has_value()) check_round_trip(*outcome.item);
    }
  }
  return 0;
}
