#include "ingest/kafka_nodes.h"

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/kafka_topics.h"

namespace millrace::ingest {
namespace {

constexpr int kPollMs = 100;
constexpr int kLeaveMs = 2'000;
constexpr int kAgainTells = 2;  // so many of its intervals a node has to be heard again

}  // namespace

KafkaNodes::KafkaNodes(KafkaNodesOptions options, std::function<std::string()> describe)
    : options_(std::move(options)),
      topic_name_(options_.prefix + "nodes"),
      describe_(std::move(describe)) {}

Result<std::unique_ptr<KafkaNodes>> KafkaNodes::open(KafkaNodesOptions options,
                                                     std::function<std::string()> describe) {
  std::unique_ptr<KafkaNodes> nodes(new KafkaNodes(std::move(options), std::move(describe)));
  MILLRACE_CHECK(nodes->connect());
  return nodes;
}

Status KafkaNodes::connect() {
  KafkaClientOptions consumer;
  consumer.type = RD_KAFKA_CONSUMER;
  consumer.connection = options_.connection;
  consumer.ours = {{"enable.partition.eof", "true"},
                   {"auto.offset.reset", "earliest"},
                   {"fetch.wait.max.ms", std::to_string(kPollMs)}};
  MILLRACE_TRY(consumer_, kafka_client(consumer));
  MILLRACE_CHECK(
      ensure_topic(consumer_.get(), {topic_name_, 1, 0, TopicWish::Rules::kLatest}).map([](int) {
      }));
  KafkaClientOptions producer;
  producer.connection = options_.connection;
  producer.ours = {{"message.timeout.ms", std::to_string(options_.forget_after_ms)},
                   {"linger.ms", "0"}};
  MILLRACE_TRY(producer_, kafka_client(producer));
  MILLRACE_TRY(told_, kafka_topic(producer_.get(), topic_name_));
  MILLRACE_TRY(read_, kafka_topic(consumer_.get(), topic_name_));
  if (rd_kafka_consume_start(read_.get(), 0, RD_KAFKA_OFFSET_BEGINNING) != 0) {
    return fail(Code::kInternal, kafka_reason("cannot read " + topic_name_, rd_kafka_last_error()));
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

KafkaNodes::~KafkaNodes() {
  thread_ = {};
  if (read_) rd_kafka_consume_stop(read_.get(), 0);
}

void KafkaNodes::run(const std::stop_token& stop) {
  std::int64_t told_us = 0;
  while (!stop.stop_requested()) {
    const auto now = steady_micros();
    if (tell_now_.exchange(false) || told_us == 0 ||
        now - told_us >= std::int64_t{options_.tell_every_ms} * 1000) {
      told_us = now;
      tell();
    }
    rd_kafka_poll(producer_.get(), 0);
    const KafkaMessage message(rd_kafka_consume(read_.get(), 0, kPollMs));
    if (message) take(*message);
  }
}

void KafkaNodes::tell() {
  auto bytes = describe_();
  if (rd_kafka_produce(told_.get(), 0, RD_KAFKA_MSG_F_COPY, bytes.data(), bytes.size(),
                       options_.node_id.data(), options_.node_id.size(), nullptr) != 0) {
    log_warn(kafka_reason("telling other nodes of this one", rd_kafka_last_error()));
  }
}

// What lies in the topic when this node begins may be of nodes that are no more: it counts only
// until those that live must have been heard again.
void KafkaNodes::take(const rd_kafka_message_t& message) {
  const auto now = steady_micros();
  const std::lock_guard lock(mutex_);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (read_to_end_us_ == 0) read_to_end_us_ = now;
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto again_us = std::int64_t{kAgainTells} * options_.tell_every_ms * 1000;
    const auto old_us = std::int64_t{options_.forget_after_ms} * 1000 - again_us;
    const std::string id(key_of(message));
    if (message.payload == nullptr) {
      entries_.erase(id);
    } else {
      entries_[id] = {std::string(payload_of(message)), read_to_end_us_ == 0 ? now - old_us : now};
    }
  }
  changed_.notify_all();
}

void KafkaNodes::tell_now() { tell_now_ = true; }

void KafkaNodes::leave() {
  thread_ = {};
  rd_kafka_produce(told_.get(), 0, RD_KAFKA_MSG_F_COPY, nullptr, 0, options_.node_id.data(),
                   options_.node_id.size(), nullptr);
  rd_kafka_flush(producer_.get(), kLeaveMs);
}

std::vector<KafkaNodes::Heard> KafkaNodes::heard() const {
  std::vector<Heard> all;
  const auto now = steady_micros();
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    const auto ago_ms = (now - entry.heard_us) / 1000;
    if (ago_ms <= options_.forget_after_ms) all.push_back({id, entry.bytes, ago_ms});
  }
  return all;
}

bool KafkaNodes::wait_heard(int timeout_ms) const {
  const auto again_us = std::int64_t{kAgainTells} * options_.tell_every_ms * 1000;
  const auto heard = [&] {
    return read_to_end_us_ != 0 && steady_micros() - read_to_end_us_ >= again_us;
  };
  const auto until = steady_micros() + std::int64_t{timeout_ms} * 1000;
  std::unique_lock lock(mutex_);
  while (!heard() && steady_micros() < until) {
    changed_.wait_for(lock, std::chrono::milliseconds(kPollMs));
  }
  return heard();
}

}  // namespace millrace::ingest
