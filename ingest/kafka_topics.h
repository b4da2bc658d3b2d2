#pragma once
#include <cstdint>
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
  enum class Rules : std::uint8_t {
    kLog,           // those of the log, below
    kLogUnchecked,  // made so; one that is there is good
    kLatest,        // compacted, made so; one that is there is good
    kNone,          // the broker's own; one that is there is good, whatever its partitions
  } rules = Rules::kLog;
};

inline constexpr int kDefaultKafkaPartitions = 16;

// Makes the topic with the broker's default replication, or checks the one that is there; answers
// how many partitions it has. What is asked of the log: kept for ever, appended times, no unclean
// election, two replicas in sync where there are three. kInvalid says each setting that differs;
// kUnavailable: no broker answers. Retention that is not endless, and settings that the broker does
// not show, are warnings.
Result<int> ensure_topic(rd_kafka_t* client, const TopicWish& wish);

}  // namespace millrace::ingest
