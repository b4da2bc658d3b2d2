#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/kafka_client.h"
#include "schemas/event_json.h"

namespace millrace::ingest {

// The events of a record of the public topic, by CloudEvents' Kafka binding: binary mode when there
// are `ce_` headers, else what the `content-type` header says, JSON without one. An event without
// an id gets one from the record's place (`cluster`, topic, partition, offset, place in the
// record), so that it counts once however often it is read; without a time, the record's. An error:
// the whole record is none.
Result<std::vector<EventOutcome>> events_of(const rd_kafka_message_t& message,
                                            const std::string& cluster);

}  // namespace millrace::ingest
