#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/event_log.h"
#include "ingest/kafka_client.h"

namespace millrace::ingest {

// One partition of KafkaLog to read. librdkafka fetches ahead into a queue of this partition, which
// is its bound and its back-pressure; what was taken from there stays in a small window, so that
// reading again near the end costs no seek. Offsets are taken as they come: they rise, and may have
// gaps. Thread-safe, one reader at a time.
class KafkaPartition {
 public:
  struct Options {
    rd_kafka_t* client = nullptr;
    rd_kafka_topic_t* topic = nullptr;
    LogPartition partition;
    std::size_t window_bytes = 256u << 10;
    int arrive_ms = 1'000;              // longest wait for a record that is known to be there
    int wake_fd = -1;                   // an eventfd, written when records arrive
    std::size_t full_queue = 10'000;    // so many records queued: librdkafka fetches no more
    std::function<void()> running_low;  // tells the fetcher, which may be asleep
  };
  explicit KafkaPartition(Options options) : options_(std::move(options)) {}
  ~KafkaPartition();
  KafkaPartition(const KafkaPartition&) = delete;
  KafkaPartition& operator=(const KafkaPartition&) = delete;

  // As EventLog::read. When Kafka is away a read may give less than end() promises, nothing too.
  Result<std::vector<StoredRecord>> read(Offset from, std::size_t max_records,
                                         std::size_t max_bytes);

  // Asks the broker where the partition starts and ends, and waits for the answer.
  Result<Offset> query(int timeout_ms);
  // Takes over what the last fetch said. True when the end has moved.
  bool refresh_end();
  bool raise_end(Offset end);
  Offset start() const { return start_; }
  Offset end() const { return end_; }

 private:
  Status go_to(Offset from);
  Status seek(Offset to);
  // Takes what has arrived, at most `limit` records, into the window; waits for the first one.
  Result<bool> take(std::size_t limit, int wait_ms);
  bool take_one(KafkaMessage message);
  void refuse(const rd_kafka_message_t& message);
  void forget_old(Offset read_to);
  void check_supply();

  const Options options_;
  std::atomic<Offset> start_ = 0;
  std::atomic<Offset> end_ = 0;

  std::mutex mutex_;
  KafkaQueue queue_;                 // once fetching
  std::deque<KafkaMessage> window_;  // as taken, the oldest first
  std::size_t window_bytes_ = 0;
  Offset next_ = 0;               // what the queue gives next, or later
  std::optional<Offset> gap_at_;  // a gap seen there once: asked for again
  std::optional<Error> broken_;   // nothing from next_ on can be had
  bool dry_ = false;              // waited in vain: not again before something arrives
  bool was_full_ = false;         // the queue was, so that the fetcher may be asleep
};

}  // namespace millrace::ingest
