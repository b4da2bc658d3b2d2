#include "ingest/kafka_appender.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr int kFirstAnswerMs = 10'000;
constexpr int kNextAnswerMs = 500;
// Of a record batch and the record in it, with the longest key.
constexpr std::size_t kFramingBytes = 64u << 10;

// Sending it again would change nothing. Any other error of a record is the producer's: librdkafka
// has tried again already wherever it could do so without risking a second copy.
bool final_for_record(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return true;
    default: return false;
  }
}

Error unknown_outcome(const std::string& why) {
  return {Code::kUnavailable, why + ": outcome unknown, send it again with the same ids", {}};
}

}  // namespace

KafkaAppender::KafkaAppender(Options options, FindEnd find_end, Metrics& metrics)
    : options_(std::move(options)),
      find_end_(std::move(find_end)),
      records_(metrics.counter("log_appended_records_total", "Records made durable in the log.")),
      bytes_(metrics.counter("log_appended_bytes_total", "Bytes made durable in the log.")),
      replaced_(metrics.counter("kafka_producers_replaced_total",
                                "Producers replaced after a fatal error.")),
      queued_(metrics.gauge("producer_queue_bytes", "Bytes that wait for Kafka's confirmation.")) {}

Result<std::unique_ptr<KafkaAppender>> KafkaAppender::open(Options options, FindEnd find_end,
                                                           Metrics& metrics) {
  std::unique_ptr<KafkaAppender> appender(
      new KafkaAppender(std::move(options), std::move(find_end), metrics));
  MILLRACE_TRY(appender->producer_, appender->make_producer(kFirstAnswerMs));
  return appender;
}

KafkaAppender::~KafkaAppender() = default;

Result<KafkaAppender::Producer> KafkaAppender::make_producer(int answer_ms) {
  KafkaClientOptions options;
  options.type = RD_KAFKA_PRODUCER;
  options.connection = options_.connection;
  options.ours = {{"enable.idempotence", "true"},
                  {"acks", "all"},
                  {"message.timeout.ms", "0"},
                  {"partitioner", "murmur2_random"},
                  {"linger.ms", "1"},
                  {"queue.buffering.max.messages", "10000000"},
                  {"queue.buffering.max.kbytes", "2097151"},
                  {"message.max.bytes", std::to_string(options_.max_record_bytes + kFramingBytes)}};
  options.delivered = &KafkaAppender::delivered;
  options.opaque = this;
  Producer made;
  MILLRACE_TRY(made.client, kafka_client(options));
  MILLRACE_TRY(made.interactions, kafka_topic(made.client.get(), options_.interactions));
  MILLRACE_TRY(made.catalog, kafka_topic(made.client.get(), options_.catalog));
  // Leaders known beforehand: 2.0.2 keeps the first message to an unknown topic for a second.
  for (auto* topic : {made.interactions.get(), made.catalog.get()}) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(made.client.get(), 0, topic, &metadata, answer_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(Code::kUnavailable, kafka_reason("no answer from Kafka", error));
    }
    rd_kafka_metadata_destroy(metadata);
  }
  static constexpr std::uint64_t kOne = 1;
  made.events.reset(rd_kafka_queue_get_main(made.client.get()));
  rd_kafka_queue_io_event_enable(made.events.get(), options_.wake_fd, &kOne, sizeof kOne);
  return made;
}

bool KafkaAppender::append(std::vector<Append>& records, Done& done) {
  std::size_t bytes = 0;
  for (const auto& record : records) bytes += record.bytes.size() + record.key.size();
  const std::lock_guard lock(mutex_);
  if (closed_ || (queued_bytes_ > 0 && queued_bytes_ + bytes > options_.max_queued_bytes)) {
    return false;
  }
  queued_bytes_ += bytes;
  auto& batch = batches_.emplace_back();
  batch.records = std::move(records);
  batch.done = std::move(done);
  batch.self = std::prev(batches_.end());
  batch.bytes = bytes;
  batch.since_us = steady_micros();
  batch.left = batch.records.size();
  batch.offsets.resize(batch.left, -1);
  batch.waiting.reserve(batch.left);
  for (std::size_t i = 0; i < batch.left; ++i) batch.waiting.push_back({&batch, i});
  if (unsent_ == batches_.end()) unsent_ = batch.self;
  send_queued();
  return true;
}

// The mutex is held. Records of a partition go out in the order of their appends, always.
void KafkaAppender::send_queued() {
  for (; unsent_ != batches_.end() && !fatal_; ++unsent_) {
    for (auto& waiting : unsent_->waiting) {
      if (waiting.state == Waiting::State::kQueued && !send(waiting)) return;
    }
  }
}

// False: not now. The payload stays ours, and where it is, until it is delivered.
bool KafkaAppender::send(Waiting& waiting) {
  auto& record = waiting.batch->records[waiting.index];
  auto* topic = record.partition.topic == Topic::kCatalog ? producer_.catalog.get()
                                                          : producer_.interactions.get();
  const bool keyed = !record.key.empty();
  if (rd_kafka_produce(topic, record.partition.index, 0, record.bytes.data(), record.bytes.size(),
                       keyed ? record.key.data() : nullptr, record.key.size(), &waiting) == 0) {
    waiting.state = Waiting::State::kSent;
    return true;
  }
  const auto error = rd_kafka_last_error();
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  if (!final_for_record(error)) {
    log_warn(kafka_reason("Kafka's producer is replaced", error));
    fatal_ = true;
    return false;
  }
  waiting.batch->error = unknown_outcome(kafka_reason("Kafka refuses a record", error));
  record_done(waiting);
  return true;
}

// The mutex is held.
void KafkaAppender::record_done(Waiting& waiting) {
  waiting.state = Waiting::State::kDone;
  if (--waiting.batch->left == 0) done_.push_back(waiting.batch->self);
}

void KafkaAppender::delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<KafkaAppender*>(self)->on_delivered(*message);
}

void KafkaAppender::on_delivered(const rd_kafka_message_t& message) {
  auto& waiting = *static_cast<Waiting*>(message._private);
  const std::lock_guard lock(mutex_);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    waiting.batch->offsets[waiting.index] = message.offset;
    ++new_records_;
    new_bytes_ += waiting.batch->records[waiting.index].bytes.size();
  } else if (fatal_ || !final_for_record(message.err)) {
    if (!fatal_) log_warn(kafka_reason("Kafka's producer is replaced", message.err));
    fatal_ = true;  // a new producer will send it
    return;
  } else {
    const bool large = message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    auto error = unknown_outcome(kafka_reason("Kafka refuses a record", message.err));
    if (large) error = {Code::kTooLarge, "Kafka's topic does not take a record of this size", {}};
    waiting.batch->error = std::move(error);
  }
  record_done(waiting);
}

KafkaAppender::Served KafkaAppender::serve() {
  rd_kafka_poll(producer_.client.get(), 0);
  if (fatal_) replace_producer();
  Served served;
  {
    const std::lock_guard lock(mutex_);
    send_queued();
    take_finished();
    expire(served);
    queued_.set(static_cast<double>(queued_bytes_));
    records_.inc(static_cast<double>(std::exchange(new_records_, 0)));
    bytes_.inc(static_cast<double>(std::exchange(new_bytes_, 0)));
  }
  answer_finished(served);
  return served;
}

// The mutex is held.
void KafkaAppender::take_finished() {
  for (const auto batch : done_) {
    if (batch == unsent_) ++unsent_;
    queued_bytes_ -= batch->bytes;
    finished_.splice(finished_.end(), batches_, batch);
  }
  done_.clear();
}

// An offset that Kafka did not tell (the record was there from an earlier try) becomes the last
// one of its partition.
void KafkaAppender::answer_finished(Served& served) {
  for (auto batch = finished_.begin(); batch != finished_.end();) {
    auto& offsets = batch->offsets;
    for (std::size_t i = 0; i < offsets.size() && !batch->error; ++i) {
      const auto partition = batch->records[i].partition;
      if (offsets[i] < 0) offsets[i] = find_end_(partition).value_or(0) - 1;
      if (offsets[i] < 0) break;
      served.ends.emplace_back(partition, offsets[i] + 1);
    }
    const bool known = batch->error || std::none_of(offsets.begin(), offsets.end(),
                                                    [](Offset offset) { return offset < 0; });
    if (!known && steady_micros() < batch->since_us + std::int64_t{options_.deadline_ms} * 1000) {
      ++batch;
      continue;
    }
    if (!known) batch->error = unknown_outcome("Kafka does not say where the append went");
    if (batch->done && batch->error) {
      served.answers.push_back({std::move(batch->done), tl::unexpected(*std::move(batch->error))});
    } else if (batch->done) {
      served.answers.push_back({std::move(batch->done), std::move(offsets)});
    }
    batch = finished_.erase(batch);
  }
}

// The mutex is held. Their records stay where they are, and will be written.
void KafkaAppender::expire(Served& served) {
  const auto before = steady_micros() - std::int64_t{options_.deadline_ms} * 1000;
  for (auto& batch : batches_) {
    if (batch.since_us > before) return;
    if (!batch.done) continue;
    auto error = unknown_outcome("Kafka has not confirmed the append within " +
                                 std::to_string(options_.deadline_ms) + " ms");
    served.answers.push_back({std::move(batch.done), tl::unexpected(std::move(error))});
    batch.done = nullptr;
  }
}

void KafkaAppender::replace_producer() {
  auto* const old = producer_.client.get();
  rd_kafka_purge(old, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_poll(old, 0) > 0) {
  }
  auto made = make_producer(kNextAnswerMs);
  if (!made) return log_error("no new Kafka producer, trying again: " + made.error().detail);
  replaced_.inc();
  const std::lock_guard lock(mutex_);
  std::swap(producer_, *made);
  for (auto& batch : batches_) {
    for (auto& waiting : batch.waiting) {
      if (waiting.state == Waiting::State::kSent) waiting.state = Waiting::State::kQueued;
    }
  }
  unsent_ = batches_.begin();
  fatal_ = false;
  // The old one goes at the end, when nothing points to its records any more.
}

KafkaAppender::Served KafkaAppender::close() {
  auto served = serve();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto* batches : {&batches_, &finished_}) {
    for (auto& batch : *batches) {
      if (!batch.done) continue;
      served.answers.push_back(
          {std::move(batch.done), tl::unexpected(unknown_outcome("the server is stopping"))});
      batch.done = nullptr;
    }
  }
  return served;
}

std::int64_t KafkaAppender::oldest_waiting_ms() const {
  const std::lock_guard lock(mutex_);
  return batches_.empty() ? 0 : (steady_micros() - batches_.front().since_us) / 1000;
}

bool KafkaAppender::idle() const {
  const std::lock_guard lock(mutex_);
  return batches_.empty();
}

}  // namespace millrace::ingest
