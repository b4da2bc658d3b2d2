#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_options.h"

namespace millrace::ingest {

struct KafkaNodesOptions {
  KafkaConnection connection;
  std::string prefix;   // of the compacted topic `nodes`
  std::string node_id;  // the key of what we tell
  int tell_every_ms = 1'000;
  int forget_after_ms = 10'000;  // by our own clock, which no other node's has to agree with
};

// How nodes hear of each other: each writes a record under its id about once a second and reads
// everybody's. It carries bytes, and knows nothing of what they say. Thread-safe.
class KafkaNodes {
 public:
  struct Heard {
    std::string id;
    std::string bytes;
    std::int64_t ago_ms = 0;
  };
  // Makes the topic when it is missing. `describe` is called by the thread for each record.
  static Result<std::unique_ptr<KafkaNodes>> open(KafkaNodesOptions options,
                                                  std::function<std::string()> describe);
  ~KafkaNodes();  // falls silent
  KafkaNodes(const KafkaNodes&) = delete;
  KafkaNodes& operator=(const KafkaNodes&) = delete;

  void tell_now();
  void leave();  // the others forget this node; nothing is told any more. Waits a little.
  // Those heard within forget_after_ms, this node too, by id.
  std::vector<Heard> heard() const;
  // False: the topic could not be read to its end, and what lives be heard again, in time.
  bool wait_heard(int timeout_ms) const;

 private:
  struct Entry {
    std::string bytes;
    std::int64_t heard_us = 0;
  };
  KafkaNodes(KafkaNodesOptions options, std::function<std::string()> describe);
  Status connect();
  void run(const std::stop_token& stop);
  void tell();
  void take(const rd_kafka_message_t& message);

  const KafkaNodesOptions options_;
  const std::string topic_name_;
  const std::function<std::string()> describe_;
  KafkaHandle producer_, consumer_;
  KafkaTopic told_, read_;
  std::atomic<bool> tell_now_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, Entry> entries_;
  std::int64_t read_to_end_us_ = 0;  // 0: not yet
  std::jthread thread_;
};

}  // namespace millrace::ingest
