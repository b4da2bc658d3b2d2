#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "schemas/event.h"
#include "schemas/json_writer.h"

namespace millrace {

// What one event of a request came to. Its error names the field that broke a rule (`time`,
// `data.user`, or `event` for what is no event at all) and the rule.
struct EventOutcome {
  std::string id;  // as given, empty if none was
  Result<Event> event;
};

enum class BodyKind : std::uint8_t {
  kJson,        // application/json: one event or an array of them, `specversion` may be missing
  kStructured,  // application/cloudevents+json: one event
  kBatch,       // application/cloudevents-batch+json: an array of events
  kNdjson,      // application/x-ndjson: an event a line, empty lines skipped, like kJson
};

// The kind that a Content-Type names, parameters aside. An empty one is kJson.
std::optional<BodyKind> body_kind(std::string_view content_type);

inline constexpr std::size_t kMaxEvents = 10'000;

// The events of a body, in order. One bad event does not spoil others: it is its outcome's error.
// kInvalid: the body is not JSON (of NDJSON: no line is), or not what `kind` says. kTooLarge: more
// than `max_events`. Unknown attributes and unknown members of `data` are ignored, null is as good
// as absent, and of a member given twice the last counts. Types are checked for form only.
Result<std::vector<EventOutcome>> parse_events(std::string_view body, BodyKind kind,
                                               std::size_t max_events = kMaxEvents);

// CloudEvents' binary mode: attributes in `ce-` headers (names in lower case, values
// percent-encoded), `data` in the body. kInvalid: the body is not JSON.
using Headers = std::span<const std::pair<std::string, std::string>>;
Result<EventOutcome> event_from_binary(Headers headers, std::string_view content_type,
                                       std::string_view body);

// An accepted event as a CloudEvent; parse_events() reads it back. `type` is its type's name.
void append_event_json(JsonWriter& out, const Interaction& interaction, std::string_view type);

// The members of `data` but `user` and `item`, for answers that put them beside an item.
void append_event_details(JsonWriter& out, const Event& event);

}  // namespace millrace
