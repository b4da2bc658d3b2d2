#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ingest/kafka_client.h"

namespace millrace::ingest {

// What a topic must be.
struct TopicWish {
  std::string name;
  int partitions = 0;         // exactly; 0: as it is, kDefaultKafkaPartitions when made
  int max_message_bytes = 0;  // at least
  bool check = true;          // false: a topic that is there is good
};

inline constexpr int kDefaultKafkaPartitions = 16;

// Makes the topic with the broker's default replication, or checks the one that is there; answers
// how many partitions it has. What is asked of it: kept for ever, appended times, no unclean
// election, two replicas in sync where there are three. kInvalid says each setting that differs;
// kUnavailable: no broker answers. Retention that is not endless, and settings that the broker does
// not show, are warnings.
Result<int> ensure_topic(rd_kafka_t* client, const TopicWish& wish);

}  // namespace millrace::ingest
