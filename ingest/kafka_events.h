#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/event_json.h"
#include "schemas/ids.h"

namespace millrace::ingest {

// A record of the public topic. What it points to lies with whatever carried it here.
struct SourceRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  Offset offset = 0;
  std::optional<UnixMillis> time;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::optional<std::string_view> value;
};

// The events of a record of the public topic, by CloudEvents' Kafka binding: binary mode when there
// are `ce_` headers, else what the `content-type` header says, JSON without one. An event without
// an id gets one from the record's place (`cluster`, topic, partition, offset, place in the
// record), so that it counts once however often it is read; without a time, the record's. An error:
// the whole record is none.
Result<std::vector<EventOutcome>> events_of(const SourceRecord& record, const std::string& cluster);

}  // namespace millrace::ingest
