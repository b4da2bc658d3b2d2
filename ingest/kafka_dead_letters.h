#pragma once
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "ingest/kafka_client.h"

namespace millrace::ingest {

// Records of the public topic that cannot be accepted, in a topic of their own: key and value as
// they came, their headers, and before those `millrace_reason`, `millrace_field` and the place,
// `millrace_topic`, `millrace_partition`, `millrace_offset`. Of a value of more than 512 KiB the
// beginning is kept, and `millrace_bytes` says how long it was. A record that is read again is put
// there again. One thread.
class KafkaDeadLetters {
 public:
  static Result<std::unique_ptr<KafkaDeadLetters>> open(const KafkaConnection& connection,
                                                        const std::string& topic, Metrics& metrics);

  void put(const rd_kafka_message_t& message, const Error& reason);
  // Waits until Kafka has everything that was put. kUnavailable: not yet, ask again.
  Status flush(int timeout_ms);

 private:
  explicit KafkaDeadLetters(Metrics& metrics);
  static void delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

  Counter& letters_;
  bool lost_ = false;  // one was refused since the last flush
  KafkaHandle client_;
  KafkaTopic topic_;
};

}  // namespace millrace::ingest
