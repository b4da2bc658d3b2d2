#include <cstdlib>
#include <string_view>

#include "schemas/event_json.h"
#include "schemas/item_json.h"

// A line's verdict does not depend on the lines around it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto together = parse_events(rest, BodyKind::kNdjson);
  const auto items = parse_items(rest, BodyKind::kNdjson);
  std::size_t line_number = 0;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto alone = parse_events(line, BodyKind::kNdjson);
    if (alone.has_value() && alone->empty()) continue;
    if (together.has_value()) {
      const auto& there = together->at(line_number).event;
      const bool accepted = alone.has_value() && alone->front().event.has_value();
      if (there.has_value() != accepted) std::abort();
      if (accepted && there != alone->front().event) std::abort();
    }
    ++line_number;
  }
  if (together.has_value() && together->size() != line_number) std::abort();
  if (items.has_value() && items->size() != line_number) std::abort();
  return 0;
}
