#include "ingest/kafka_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_dead_letters.h"
#include "ingest/kafka_events.h"
#include "ingest/kafka_topics.h"
#include "ingest/settle.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kBatchRecords = 8'000;
constexpr std::size_t kFullQueue = 32'000;  // records; librdkafka fetches no more
constexpr int kPollMs = 100;
constexpr int kWakeMs = 1'000;
constexpr int kRetryMs = 200;
constexpr int kRejoinMs = 5'000;
constexpr int kFlushMs = 5'000;
constexpr int kJoinMs = 5'000;
constexpr int kLeaveMs = 10'000;  // 2.0.2's close can hang
constexpr int kAnswerMs = 10'000;

// Waits between two tries, or until the source is told to stop.
void pause(const std::stop_token& stop, int ms) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  waiting.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
}

// What it points to is the message's.
SourceRecord source_record(const rd_kafka_message_t& message) {
  SourceRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type{};
  const auto time = rd_kafka_message_timestamp(&message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.time = time;
  if (message.payload != nullptr) record.value = payload_of(message);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name, std::string_view(static_cast<const char*>(value), size));
  }
  return record;
}

using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      KafkaFree<rd_kafka_topic_partition_list_destroy>>;

// The partitions that are ours now; null: not known.
PartitionList assignment_of(rd_kafka_t* consumer) {
  rd_kafka_topic_partition_list_t* raw = nullptr;
  if (rd_kafka_assignment(consumer, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return nullptr;
  return PartitionList(raw);
}

bool is_member(rd_kafka_t* consumer) {
  char* const id = rd_kafka_memberid(consumer);
  const bool member = id != nullptr && *id != '\0';
  rd_kafka_mem_free(consumer, id);
  return member;
}

}  // namespace

struct KafkaSource::Parts {
  std::unique_ptr<KafkaDeadLetters> dead_letters;
  std::string cluster;
  // Closed by leave(), with a bound on the time that takes.
  std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)> consumer{
      nullptr, [](rd_kafka_t* client) {
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
      }};
  KafkaQueue queue;
  std::vector<KafkaMessage> batch;
  std::int64_t shown_us = 0;  // when the lag was
  std::vector<Gauge*> lags;   // of the partitions that were ours then
  bool was_full = false;      // the queue was, so that the fetcher may be asleep
};

// The batch in hand.
class KafkaSource::Batch final : public SourceBatch {
 public:
  Batch(KafkaSource& source, const std::stop_token& stop) : source_(source), stop_(stop) {}

  std::size_t size() const override { return parts().batch.size(); }
  Result<std::vector<EventOutcome>> events(std::size_t record) const override {
    return events_of(source_record(*parts().batch[record]), parts().cluster);
  }
  void bury(std::size_t record, const Error& reason) override {
    parts().dead_letters->put(*parts().batch[record], reason);
  }
  Status flush() override { return parts().dead_letters->flush(kFlushMs); }
  void commit() override { source_.commit(); }
  bool pause() override {
    ingest::pause(stop_, kRetryMs);
    return !stop_.stop_requested();
  }

 private:
  Parts& parts() const { return *source_.parts_; }

  KafkaSource& source_;
  const std::stop_token& stop_;
};

KafkaSource::KafkaSource(KafkaSourceOptions options, const Acceptor& acceptor, Metrics& metrics)
    : options_(std::move(options)),
      acceptor_(acceptor),
      consumed_(metrics.counter("kafka_events_consumed_total",
                                "Records of the public topic that were read and settled.")),
      rebalances_(metrics.counter("rebalances_total",
                                  "Times that this node's share of the public topic changed.")),
      metrics_(metrics),
      parts_(std::make_unique<Parts>()) {}

Result<std::unique_ptr<KafkaSource>> KafkaSource::open(KafkaSourceOptions options,
                                                       const Acceptor& acceptor, Metrics& metrics) {
  std::unique_ptr<KafkaSource> source(new KafkaSource(std::move(options), acceptor, metrics));
  MILLRACE_CHECK(source->connect(metrics));
  return source;
}

Status KafkaSource::connect(Metrics& metrics) {
  const auto dead_letters = options_.prefix + "events.dead-letters";
  {
    KafkaClientOptions admin;
    admin.type = RD_KAFKA_CONSUMER;
    admin.connection = options_.connection;
    MILLRACE_TRY(const auto client, kafka_client(admin));
    for (const auto& wish :
         {TopicWish{options_.prefix + "events", options_.partitions, 0, TopicWish::Rules::kNone},
          TopicWish{dead_letters, 1, 0, TopicWish::Rules::kNone}}) {
      MILLRACE_CHECK(ensure_topic(client.get(), wish).map([](int) {}));
    }
    char* const id = rd_kafka_clusterid(client.get(), kAnswerMs);
    if (id != nullptr) parts_->cluster = id;
    rd_kafka_mem_free(client.get(), id);
  }
  MILLRACE_TRY(parts_->dead_letters,
               KafkaDeadLetters::open(options_.connection, dead_letters, metrics));
  MILLRACE_CHECK(join());
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

Status KafkaSource::join() {
  KafkaClientOptions options;
  options.type = RD_KAFKA_CONSUMER;
  options.connection = options_.connection;
  options.ours = {{"group.id", options_.prefix + "millrace"},
                  {"group.instance.id", options_.node_id},
                  {"partition.assignment.strategy", "range"},
                  {"auto.offset.reset", "earliest"},
                  {"enable.auto.commit", "false"},
                  {"enable.auto.offset.store", "false"},
                  {"check.crcs", "true"},
                  {"fetch.error.backoff.ms", "100"},
                  {"queued.min.messages", std::to_string(kFullQueue)},
                  {"queued.max.messages.kbytes",
                   std::to_string(std::max<std::size_t>(1, options_.queue_bytes / 1024))}};
  options.rebalanced = [](rd_kafka_t* client, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* partitions, void* self) {
    const bool given = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_assign(client, given ? partitions : nullptr);
    static_cast<KafkaSource*>(self)->rebalances_.inc();
  };
  options.opaque = this;
  MILLRACE_TRY(auto client, kafka_client(options));
  parts_->consumer.reset(client.release());
  rd_kafka_poll_set_consumer(parts_->consumer.get());
  parts_->queue.reset(rd_kafka_queue_get_consumer(parts_->consumer.get()));
  const PartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), (options_.prefix + "events").c_str(),
                                    RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(parts_->consumer.get(), topics.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail(Code::kUnavailable, kafka_reason("cannot subscribe", error));
}

// A static member that only closes stays a member: who comes back after a crash within the session
// gets the same partitions. One that ends its subscription leaves, which the loss of its member id
// shows.
void KafkaSource::unsubscribe() {
  if (!parts_->consumer) return;
  auto* const consumer = parts_->consumer.get();
  const auto poll_while = [consumer](bool member, int limit_ms) {
    const auto until = steady_micros() + std::int64_t{limit_ms} * 1000;
    while (is_member(consumer) == member && steady_micros() < until) {
      const KafkaMessage late(rd_kafka_consumer_poll(consumer, kPollMs / 10));
    }
  };
  poll_while(false, kJoinMs);  // who is still joining cannot leave, and would be waited for
  rd_kafka_unsubscribe(consumer);
  poll_while(true, kLeaveMs);
}

void KafkaSource::leave() {
  parts_->batch.clear();
  if (!parts_->consumer) return;
  close();
  parts_->consumer.reset();
}

void KafkaSource::close() {
  parts_->queue.reset();
  const KafkaQueue closing(rd_kafka_queue_new(parts_->consumer.get()));
  auto* const error = rd_kafka_consumer_close_queue(parts_->consumer.get(), closing.get());
  if (error != nullptr) rd_kafka_error_destroy(error);
  const auto until = steady_micros() + std::int64_t{kLeaveMs} * 1000;
  while (rd_kafka_consumer_closed(parts_->consumer.get()) == 0 && steady_micros() < until) {
    // Rebalances on the way out are served here.
    std::array<rd_kafka_message_t*, 1> raw{};
    if (rd_kafka_consume_batch_queue(closing.get(), kPollMs / 10, raw.data(), 1) == 1) {
      rd_kafka_message_destroy(raw[0]);
    }
  }
}

KafkaSource::~KafkaSource() {
  thread_ = {};
  unsubscribe();
  leave();
}

void KafkaSource::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto fatal = rd_kafka_fatal_error(parts_->consumer.get(), nullptr, 0);
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
      log_error(kafka_reason(
          "events from Kafka stop; is node id '" + options_.node_id + "' in use by another node?",
          fatal));
      leave();
      pause(stop, kRejoinMs);
      const auto joined = join();
      if (!joined) log_error(joined.error().detail);
      continue;
    }
    if (take_batch()) {
      Batch batch(*this, stop);
      settle(batch, acceptor_);
    }
    show_lag();
  }
}

bool KafkaSource::take_batch() {
  parts_->batch.clear();
  const auto keep = [this](rd_kafka_message_t* raw) {
    KafkaMessage message(raw);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      parts_->batch.push_back(std::move(message));
    } else {
      log_warn(kafka_reason("events from Kafka", message->err));
    }
  };
  auto* const first = rd_kafka_consumer_poll(parts_->consumer.get(), kPollMs);
  if (first == nullptr) return false;
  keep(first);
  // With a timeout a batch is waited for until it is full.
  std::array<rd_kafka_message_t*, kBatchRecords> raw{};
  const auto count = rd_kafka_consume_batch_queue(parts_->queue.get(), 0, raw.data(), raw.size());
  for (ssize_t i = 0; i < count; ++i) keep(raw[static_cast<std::size_t>(i)]);
  wake_fetcher();
  return !parts_->batch.empty();
}

// One that found its queue full sleeps for up to a second; any question to its broker wakes it.
void KafkaSource::wake_fetcher() {
  const auto queued = rd_kafka_queue_length(parts_->queue.get());
  if (queued >= kFullQueue / 2) parts_->was_full = true;
  if (queued >= kFullQueue / 2 || !parts_->was_full || parts_->batch.empty()) return;
  parts_->was_full = false;
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_query_watermark_offsets(parts_->consumer.get(),
                                   rd_kafka_topic_name(parts_->batch.front()->rkt),
                                   parts_->batch.front()->partition, &low, &high, kWakeMs);
}

// What is in our partitions and not committed. A partition that is another's now shows nothing.
void KafkaSource::show_lag() {
  const auto now = steady_micros();
  if (now - parts_->shown_us < std::int64_t{kWakeMs} * 1000) return;
  parts_->shown_us = now;
  const auto ours = assignment_of(parts_->consumer.get());
  if (!ours || rd_kafka_committed(parts_->consumer.get(), ours.get(), kWakeMs) !=
                   RD_KAFKA_RESP_ERR_NO_ERROR) {
    return;
  }
  for (auto* lag : std::exchange(parts_->lags, {})) lag->set(0);
  for (int i = 0; i < ours->cnt; ++i) {
    const auto& at = ours->elems[i];
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_get_watermark_offsets(parts_->consumer.get(), at.topic, at.partition, &low, &high);
    if (high < 0) continue;  // not fetched from yet
    const Labels partition = {{"topic", at.topic}, {"partition", std::to_string(at.partition)}};
    Labels group = partition;
    group["consumergroup"] = options_.prefix + "millrace";
    auto& lag =
        metrics_.gauge("kafka_consumergroup_lag", "Records that a group is not done with.", group);
    lag.set(static_cast<double>(high - std::max(at.offset, std::max<std::int64_t>(low, 0))));
    parts_->lags.push_back(&lag);
    metrics_
        .gauge("kafka_topic_partition_current_offset", "One past the partition's last record.",
               partition)
        .set(static_cast<double>(high));
  }
}

void KafkaSource::commit() {
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& message : parts_->batch) {
    next[message->partition] = std::max(next[message->partition], message->offset + 1);
  }
  const PartitionList offsets(rd_kafka_topic_partition_list_new(static_cast<int>(next.size())));
  for (const auto& [partition, offset] : next) {
    rd_kafka_topic_partition_list_add(offsets.get(), (options_.prefix + "events").c_str(),
                                      partition)
        ->offset = offset;
  }
  rd_kafka_commit(parts_->consumer.get(), offsets.get(), 1);
  consumed_.inc(static_cast<double>(parts_->batch.size()));
}

}  // namespace millrace::ingest
