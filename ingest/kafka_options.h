#pragma once
#include <string>
#include <utility>
#include <vector>

namespace millrace::ingest {

using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// How a Kafka cluster is reached: HOST:PORT[,…], and any property of librdkafka (security,
// timeouts) but those that Millrace's promises rest on.
struct KafkaConnection {
  std::string bootstrap;
  KafkaProperties properties;
};

}  // namespace millrace::ingest
