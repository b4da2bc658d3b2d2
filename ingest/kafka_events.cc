#include "ingest/kafka_events.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
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

Attributes attributes_of(const rd_kafka_message_t& message) {
  Attributes out;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  const char* raw_name = nullptr;
  const void* raw_value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &raw_name, &raw_value, &size) ==
                          RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    std::string name(raw_name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string_view value(static_cast<const char*>(raw_value), size);
    if (name == "content-type") out.content_type = value;
    if (name.starts_with("ce_")) {
      out.cloud_events.emplace_back("ce-" + name.substr(3), encoded(value));
    }
  }
  return out;
}

std::string id_of(const rd_kafka_message_t& message, const std::string& cluster,
                  std::size_t index) {
  const std::string place = cluster + '\n' + rd_kafka_topic_name(message.rkt) + '\n' +
                            std::to_string(message.partition) + '\n' +
                            std::to_string(message.offset) + '\n' + std::to_string(index);
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

Result<std::vector<EventOutcome>> parsed(const rd_kafka_message_t& message) {
  if (message.payload == nullptr) return fail(Code::kInvalid, "the record has no value", "event");
  const auto attributes = attributes_of(message);
  if (!attributes.cloud_events.empty()) {
    MILLRACE_TRY(auto event, event_from_binary(attributes.cloud_events, attributes.content_type,
                                               payload_of(message)));
    std::vector<EventOutcome> one;
    one.push_back(std::move(event));
    return one;
  }
  const auto kind = body_kind(attributes.content_type);
  if (!kind) {
    return fail(Code::kInvalid, "'" + attributes.content_type + "' is no JSON and no CloudEvent",
                "content-type");
  }
  return parse_events(payload_of(message), *kind);
}

}  // namespace

Result<std::vector<EventOutcome>> events_of(const rd_kafka_message_t& message,
                                            const std::string& cluster) {
  MILLRACE_TRY(auto events, parsed(message));
  rd_kafka_timestamp_type_t type{};
  const auto time = rd_kafka_message_timestamp(&message, &type);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].event) continue;
    auto& event = *events[i].event;
    if (event.id.empty()) event.id = id_of(message, cluster, i);
    if (!event.time && type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) event.time = time;
  }
  return events;
}

}  // namespace millrace::ingest
