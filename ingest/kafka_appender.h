#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "ingest/event_log.h"
#include "ingest/kafka_client.h"

namespace millrace::ingest {

// The writing half of KafkaLog: an idempotent producer with acks=all and no message timeout, so
// that a record once taken is written, however long that takes. A producer that ends with a fatal
// error is replaced, and what was not acknowledged goes out again in the same order: a record may
// then be in the log twice, which everything behind the log drops by its id.
class KafkaAppender {
 public:
  struct Options {
    KafkaConnection connection;
    std::string interactions, catalog;        // topics
    std::size_t max_record_bytes = 1u << 20;  // the log's; the producer allows for its framing
    std::size_t max_queued_bytes = 64u << 20;
    int deadline_ms = 5'000;  // then an append is answered "outcome unknown"
    int wake_fd = -1;         // an eventfd, written when serve() has something to do
  };
  using Done = std::function<void(AppendResult)>;
  struct Answer {
    Done done;
    AppendResult result;
  };
  struct Served {
    std::vector<std::pair<LogPartition, Offset>> ends;  // one past what was acknowledged
    std::vector<Answer> answers;                        // to be told once these are known
  };
  // Where a partition ends now, for acknowledgements without an offset; nothing: not known now.
  using FindEnd = std::function<std::optional<Offset>(LogPartition)>;

  static Result<std::unique_ptr<KafkaAppender>> open(Options options, FindEnd find_end,
                                                     Metrics& metrics);
  ~KafkaAppender();
  KafkaAppender(const KafkaAppender&) = delete;
  KafkaAppender& operator=(const KafkaAppender&) = delete;

  // Takes records whose partitions exist. Thread-safe. False: too many wait already.
  bool append(std::vector<Append>& records, Done& done);

  // Deliveries, deadlines, a new producer where one is needed. One thread.
  Served serve();
  // Fails whatever has not been answered; nothing is taken any more.
  Served close();

  std::int64_t oldest_waiting_ms() const;  // of records not acknowledged; 0: none
  bool idle() const;

 private:
  struct Batch;
  struct Waiting {  // one record; librdkafka carries a pointer to it
    Batch* batch = nullptr;
    std::size_t index = 0;
    enum class State : std::uint8_t { kQueued, kSent, kDone } state = State::kQueued;
  };
  struct Batch {
    std::vector<Append> records;
    std::vector<Waiting> waiting;
    std::vector<Offset> offsets;
    std::size_t left = 0;
    std::size_t bytes = 0;
    std::int64_t since_us = 0;
    std::optional<Error> error;
    Done done;  // empty once told
    std::list<Batch>::iterator self;
  };
  struct Producer {
    KafkaHandle client;
    KafkaTopic interactions, catalog;
    KafkaQueue events;
  };

  KafkaAppender(Options options, FindEnd find_end, Metrics& metrics);
  Result<Producer> make_producer(int answer_ms);
  static void delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);
  void on_delivered(const rd_kafka_message_t& message);
  void send_queued();
  bool send(Waiting& waiting);
  void replace_producer();
  void record_done(Waiting& waiting);
  void take_finished();
  void answer_finished(Served& served);
  void expire(Served& served);

  const Options options_;
  const FindEnd find_end_;
  Counter& records_;
  Counter& bytes_;
  Counter& replaced_;
  Gauge& queued_;
  std::list<Batch> finished_;  // serve()'s alone: every record done, an offset maybe not known yet

  mutable std::mutex mutex_;
  std::list<Batch> batches_;                            // as appended; finished ones leave
  std::vector<std::list<Batch>::iterator> done_;        // of batches_: every record is done
  std::list<Batch>::iterator unsent_ = batches_.end();  // the first with records not yet sent
  std::size_t queued_bytes_ = 0;
  std::size_t new_records_ = 0, new_bytes_ = 0;  // delivered since the counters were told
  bool closed_ = false;
  std::atomic<bool> fatal_ = false;  // the producer is lost
  Producer producer_;                // goes before the records that it points to
};

}  // namespace millrace::ingest
