#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "ingest/event_log.h"
#include "ingest/kafka_options.h"

namespace millrace::ingest {

struct KafkaLogOptions {
  KafkaConnection connection;
  std::string prefix;  // of the topics `interactions` and `catalog`
  // 0: as the topic has, kDefaultKafkaPartitions when it is made; else it must have so many.
  std::uint16_t interaction_partitions = 0;
  std::size_t max_record_bytes = 1u << 20;
  std::size_t max_queued_bytes = 64u << 20;  // waiting appends beyond it fail with kExhausted
  std::size_t buffer_bytes = 64u << 20;      // what is fetched ahead of the readers, all in all
  int append_deadline_ms = 5'000;            // then an append is answered "outcome unknown"
  int unwritable_after_ms = 3'000;           // of silence, or of an append that is not confirmed
  int arrive_ms = 1'000;     // longest wait of a read for a record that is known to be there
  bool check_topics = true;  // false: they are there, and taken as they are
  LogAccess access = LogAccess::kWrite;
  Metrics* metrics = nullptr;  // required; outlives the log
};

// The log on a Kafka cluster. Beside EventLog's contract (docs/adr/0011 says why):
//
// - An append of several records is no transaction: once taken, each is sent until it is
//   acknowledged by every replica in sync, so all of them get in, unless the process ends before.
//   "None" is certain only where nothing was taken: kUnavailable while writable() is not,
//   kTooLarge, kExhausted, kInvalid. After append_deadline_ms the answer is kUnavailable, "outcome
//   unknown".
// - A record may be in the log twice. Everything behind the log drops the second one by its id.
// - Readers wait up to arrive_ms for records below end(); while Kafka is away they get nothing.
// - Retention is Kafka's: trim() does nothing.
// - append_time is Kafka's LogAppendTime, which may fall when another broker takes over.
class KafkaLog final : public EventLog {
 public:
  // kUnavailable: no broker answers. kInvalid: a topic is not as it must be, or a property is not.
  static Result<std::unique_ptr<KafkaLog>> open(KafkaLogOptions options);
  ~KafkaLog() override;  // waits for appends, append_deadline_ms at most
  KafkaLog(const KafkaLog&) = delete;
  KafkaLog& operator=(const KafkaLog&) = delete;

  void append(std::vector<Append> records, std::function<void(AppendResult)> done) override;
  Result<std::vector<StoredRecord>> read(LogPartition partition, Offset from,
                                         std::size_t max_records,
                                         std::size_t max_bytes) const override;
  Offset start(LogPartition partition) const override;
  Offset end(LogPartition partition) const override;
  bool shared() const override { return true; }
  void fresh_end(std::function<void(std::optional<Position>)> done) const override;
  bool wait_beyond(LogPartition partition, Offset from, int timeout_ms) const override;
  void wake_all() override;
  void on_durable(std::function<void()> wake) override;
  Status trim(std::span<const std::pair<LogPartition, Offset>> keep_from) override;
  Status writable() const override;
  std::uint16_t interaction_partitions() const override;

 private:
  struct Parts;
  explicit KafkaLog(KafkaLogOptions options);
  Status connect();
  Status open_partitions(int interactions);
  std::optional<Error> refusal_of(const std::vector<Append>& records) const;
  void refuse(std::function<void(AppendResult)> done, AppendResult result);
  void serve(const std::stop_token& stop);
  void serve_once();
  void watch(const std::stop_token& stop);
  void tell_moved();
  void wake_service() const;

  const KafkaLogOptions options_;
  Gauge& writable_;
  std::unique_ptr<Parts> parts_;
  std::atomic<std::int64_t> answered_us_{0};  // when a broker last answered the watch

  std::mutex refused_mutex_;
  std::vector<std::pair<std::function<void(AppendResult)>, AppendResult>> refused_;

  mutable std::mutex wait_mutex_;
  mutable std::condition_variable wait_cv_;
  std::uint64_t wakes_ = 0;
  std::mutex durable_mutex_;
  std::function<void()> on_durable_;

  std::mutex watch_mutex_;
  std::condition_variable_any watch_cv_;
  int hungry_ = -1;  // the slot of a partition whose queue runs low

  std::jthread watch_thread_;    // asks for starts and ends, which also shows that Kafka is there
  std::jthread service_thread_;  // deliveries, arrivals; tells whoever waits
};

}  // namespace millrace::ingest
