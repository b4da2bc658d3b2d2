#pragma once
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "ingest/acceptor.h"
#include "ingest/kafka_options.h"

namespace millrace::ingest {

struct KafkaSourceOptions {
  KafkaConnection connection;
  std::string prefix;   // of the topics `events` and `events.dead-letters`, and of the group
  std::string node_id;  // the member's name in the group, kept over restarts; one node each
  int partitions = 16;  // of `events` when it has to be made
  std::size_t queue_bytes = 8u << 20;  // fetched ahead
};

// Acceptance from the public topic `events`, shared by all nodes through a consumer group (range,
// static members). Stateless: what was read is accepted as if it had come over HTTP, and its offset
// is committed once everything below it is in the log or in the dead letters. After a crash some
// records are read again, and dropped by their ids.
class KafkaSource {
 public:
  // Makes the topics that are missing; an `events` that is there is taken as it is. kUnavailable:
  // no broker answers. `acceptor` outlives the source.
  static Result<std::unique_ptr<KafkaSource>> open(KafkaSourceOptions options,
                                                   const Acceptor& acceptor, Metrics& metrics);
  ~KafkaSource();  // ends the batch in hand, and leaves the group: others take over at once
  KafkaSource(const KafkaSource&) = delete;
  KafkaSource& operator=(const KafkaSource&) = delete;

 private:
  struct Parts;
  class Batch;
  KafkaSource(KafkaSourceOptions options, const Acceptor& acceptor, Metrics& metrics);
  Status connect(Metrics& metrics);
  Status join();
  void leave();
  void close();
  void unsubscribe();
  void show_lag();
  void run(const std::stop_token& stop);
  bool take_batch();
  void wake_fetcher();
  void commit();

  const KafkaSourceOptions options_;
  const Acceptor& acceptor_;
  Counter& consumed_;
  Counter& rebalances_;
  Metrics& metrics_;
  std::unique_ptr<Parts> parts_;
  std::jthread thread_;
};

}  // namespace millrace::ingest
