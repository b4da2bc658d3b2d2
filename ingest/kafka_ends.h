#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_options.h"
#include "schemas/position.h"

namespace millrace::ingest {

// Where the log ends, asked of the brokers over connections of its own, on which no fetch is waited
// for. One question at a time: whoever asks meanwhile shares the next one. Thread-safe.
class KafkaEnds {
 public:
  struct Options {
    KafkaConnection connection;
    std::string interactions, catalog;  // topics
    int partitions = 0;                 // of interactions
    int answer_ms = 1'000;
  };
  // Hears the last offset of each partition that has one; nothing: no answer in time.
  using Done = std::function<void(std::optional<Position>)>;

  static Result<std::unique_ptr<KafkaEnds>> open(Options options);
  ~KafkaEnds();  // whoever still waits hears nothing
  KafkaEnds(const KafkaEnds&) = delete;
  KafkaEnds& operator=(const KafkaEnds&) = delete;

  void ask(Done done);

 private:
  KafkaEnds(Options options, KafkaHandle client);
  void run(const std::stop_token& stop);
  std::optional<Position> query() const;

  const Options options_;
  const KafkaHandle client_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::vector<Done> waiting_;
  std::jthread thread_;
};

}  // namespace millrace::ingest
