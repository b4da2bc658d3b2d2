#include "ingest/kafka_dead_letters.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kMaxValueBytes = 512u << 10;  // well below what a topic takes

}  // namespace

KafkaDeadLetters::KafkaDeadLetters(Metrics& metrics)
    : letters_(metrics.counter("dlq_total", "Records moved to the dead letters.",
                               {{"reason", "not_accepted"}})) {}

Result<std::unique_ptr<KafkaDeadLetters>> KafkaDeadLetters::open(const KafkaConnection& connection,
                                                                 const std::string& topic,
                                                                 Metrics& metrics) {
  std::unique_ptr<KafkaDeadLetters> letters(new KafkaDeadLetters(metrics));
  KafkaClientOptions options;
  options.connection = connection;
  options.ours = {{"enable.idempotence", "true"},
                  {"acks", "all"},
                  {"message.timeout.ms", "0"},
                  {"partitioner", "murmur2_random"}};
  options.delivered = &KafkaDeadLetters::delivered;
  options.opaque = letters.get();
  MILLRACE_TRY(letters->client_, kafka_client(options));
  MILLRACE_TRY(letters->topic_, kafka_topic(letters->client_.get(), topic));
  return letters;
}

void KafkaDeadLetters::put(const rd_kafka_message_t& message, const Error& reason) {
  rd_kafka_headers_t* theirs = nullptr;
  auto* const headers = rd_kafka_headers_new(8);
  const auto add = [headers](const char* name, const std::string& value) {
    rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  };
  add("millrace_reason", reason.detail);
  add("millrace_field", reason.field);
  add("millrace_topic", rd_kafka_topic_name(message.rkt));
  add("millrace_partition", std::to_string(message.partition));
  add("millrace_offset", std::to_string(message.offset));
  const auto kept = std::min(message.len, kMaxValueBytes);
  if (kept < message.len) add("millrace_bytes", std::to_string(message.len));
  if (rd_kafka_message_headers(&message, &theirs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(theirs, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      rd_kafka_header_add(headers, name, -1, value, static_cast<ssize_t>(size));
    }
  }
  const auto error = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_VALUE(message.payload, kept), RD_KAFKA_V_KEY(message.key, message.key_len),
      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return letters_.inc();
  rd_kafka_headers_destroy(headers);  // still ours
  lost_ = true;
  log_warn(kafka_reason("a dead letter is not taken", error));
}

void KafkaDeadLetters::delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  static_cast<KafkaDeadLetters*>(self)->lost_ = true;
  log_warn(kafka_reason("a dead letter is not taken", message->err));
}

Status KafkaDeadLetters::flush(int timeout_ms) {
  const auto error = rd_kafka_flush(client_.get(), timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || std::exchange(lost_, false)) {
    return fail(Code::kUnavailable, kafka_reason("dead letters are not confirmed", error));
  }
  return {};
}

}  // namespace millrace::ingest
