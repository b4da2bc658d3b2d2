#pragma once
// The only door to librdkafka: handles that free themselves, and clients made the way that all of
// Millrace needs them. Version 2.0.2's pitfalls are in research/streaming.md 5.1.
#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/kafka_options.h"

namespace millrace::ingest {

template <auto kFree>
struct KafkaFree {
  template <class T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using KafkaHandle = std::unique_ptr<rd_kafka_t, KafkaFree<rd_kafka_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaFree<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaFree<rd_kafka_queue_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaFree<rd_kafka_message_destroy>>;
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaFree<rd_kafka_conf_destroy>>;

using KafkaRebalanced = void (*)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*,
                                 void* opaque);
using KafkaDelivered = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque);

struct KafkaClientOptions {
  rd_kafka_type_t type = RD_KAFKA_PRODUCER;
  KafkaConnection connection;
  KafkaProperties ours;  // beside the connection's, and stronger
  KafkaDelivered delivered = nullptr;
  KafkaRebalanced rebalanced = nullptr;
  void* opaque = nullptr;  // given to these
};

// A configuration with the connection's properties and ours. kInvalid names a property that
// librdkafka does not know, whose value it refuses, or that is ours to set.
Result<KafkaConf> kafka_conf(const KafkaClientOptions& options);
// A client that has begun to connect; nothing says yet that there is a broker.
Result<KafkaHandle> kafka_client(const KafkaClientOptions& options);
Result<KafkaTopic> kafka_topic(rd_kafka_t* client, const std::string& name);

// librdkafka's word for an error, behind what was being done.
std::string kafka_reason(std::string_view doing, rd_kafka_resp_err_t error);

inline std::string_view payload_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}
inline std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}

}  // namespace millrace::ingest
