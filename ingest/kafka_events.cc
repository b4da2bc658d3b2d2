#include "ingest/kafka_events.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace millrace::ingest {
namespace {

struct Attributes {
  std::vector<std::pair<std::string, std::string>> cloud_events;  // as HTTP has them: "ce-type"
  std::string content_type;
};

// HTTP's values are percent-encoded, Kafka's are not.
std::string encoded(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '%') {
      out += "%25";
    } else {
      out += c;
    }
  }
  return out;
}

Attributes attributes_of(const SourceRecord& record) {
  Attributes out;
  for (const auto& [raw_name, value] : record.headers) {
    std::string name(raw_name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name == "content-type") out.content_type = value;
    if (name.starts_with("ce_")) {
      out.cloud_events.emplace_back("ce-" + name.substr(3), encoded(value));
    }
  }
  return out;
}

std::string id_of(const SourceRecord& record, const std::string& cluster, std::size_t index) {
  const std::string place = cluster + '\n' + std::string(record.topic) + '\n' +
                            std::to_string(record.partition) + '\n' +
                            std::to_string(record.offset) + '\n' + std::to_string(index);
  const XXH128_hash_t sum = XXH3_128bits(place.data(), place.size());
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, sum);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes.digest) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

Result<std::vector<EventOutcome>> parsed(const SourceRecord& record) {
  if (!record.value) return fail(Code::kInvalid, "the record has no value", "event");
  const auto attributes = attributes_of(record);
  if (!attributes.cloud_events.empty()) {
    MILLRACE_TRY(auto event, event_from_binary(attributes.cloud_events, attributes.content_type,
                                               *record.value));
    std::vector<EventOutcome> one;
    one.push_back(std::move(event));
    return one;
  }
  const auto kind = body_kind(attributes.content_type);
  if (!kind) {
    return fail(Code::kInvalid, "'" + attributes.content_type + "' is no JSON and no CloudEvent",
                "content-type");
  }
  return parse_events(*record.value, *kind);
}

}  // namespace

Result<std::vector<EventOutcome>> events_of(const SourceRecord& record,
                                            const std::string& cluster) {
  MILLRACE_TRY(auto events, parsed(record));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].event) continue;
    auto& event = *events[i].event;
    if (event.id.empty()) event.id = id_of(record, cluster, i);
    if (!event.time) event.time = record.time;
  }
  return events;
}

}  // namespace millrace::ingest
