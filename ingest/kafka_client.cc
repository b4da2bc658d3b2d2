#include "ingest/kafka_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kReasonBytes = 512;

// What order, durability and exactly-once rest on.
constexpr std::array<std::string_view, 15> kOurs{"acks",
                                                 "request.required.acks",
                                                 "auto.offset.reset",
                                                 "bootstrap.servers",
                                                 "metadata.broker.list",
                                                 "check.crcs",
                                                 "delivery.timeout.ms",
                                                 "enable.auto.commit",
                                                 "enable.auto.offset.store",
                                                 "enable.idempotence",
                                                 "group.id",
                                                 "group.instance.id",
                                                 "message.timeout.ms",
                                                 "partitioner",
                                                 "transactional.id"};

void to_our_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int kCritical = 2, kWarning = 4, kInfo = 6;  // syslog's
  const std::string line = std::string("kafka: ") + facility + ": " + text;
  if (level <= kCritical) return log_error(line);
  if (level <= kWarning) return log_warn(line);
  level <= kInfo ? log_info(line) : log_debug(line);
}

Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, kReasonBytes> reason{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail(Code::kInvalid, "Kafka property " + name + ": " + reason.data(), "kafka.property");
}

}  // namespace

std::string kafka_reason(std::string_view doing, rd_kafka_resp_err_t error) {
  return std::string(doing) + ": " + rd_kafka_err2str(error) + " (" + rd_kafka_err2name(error) +
         ")";
}

Result<KafkaConf> kafka_conf(const KafkaClientOptions& options) {
  if (options.connection.bootstrap.empty()) {
    return fail(Code::kInvalid, "must name a broker: HOST:PORT[,HOST:PORT…]", "kafka.bootstrap");
  }
  KafkaConf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), to_our_log);
  MILLRACE_CHECK(set(conf.get(), "client.id", "millrace"));
  MILLRACE_CHECK(set(conf.get(), "socket.nagle.disable", "true"));
  MILLRACE_CHECK(set(conf.get(), "reconnect.backoff.max.ms", "1000"));
  MILLRACE_CHECK(set(conf.get(), "log.connection.close", "false"));
  for (const auto& [name, value] : options.connection.properties) {
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
      return fail(Code::kInvalid, "Kafka property " + name + " is set by Millrace",
                  "kafka.property");
    }
    MILLRACE_CHECK(set(conf.get(), name, value));
  }
  MILLRACE_CHECK(set(conf.get(), "bootstrap.servers", options.connection.bootstrap));
  for (const auto& [name, value] : options.ours) MILLRACE_CHECK(set(conf.get(), name, value));
  if (options.delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), options.delivered);
  if (options.rebalanced != nullptr) {
    rd_kafka_conf_set_rebalance_cb(conf.get(), options.rebalanced);
  }
  rd_kafka_conf_set_opaque(conf.get(), options.opaque);
  return conf;
}

Result<KafkaHandle> kafka_client(const KafkaClientOptions& options) {
  MILLRACE_TRY(auto conf, kafka_conf(options));
  std::array<char, kReasonBytes> reason{};
  KafkaHandle client(rd_kafka_new(options.type, conf.get(), reason.data(), reason.size()));
  if (!client) return fail(Code::kInvalid, std::string("Kafka client: ") + reason.data());
  static_cast<void>(conf.release());  // the client's from now on
  return client;
}

Result<KafkaTopic> kafka_topic(rd_kafka_t* client, const std::string& name) {
  KafkaTopic topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (!topic) {
    return fail(Code::kInvalid, kafka_reason("Kafka topic " + name, rd_kafka_last_error()));
  }
  return topic;
}

}  // namespace millrace::ingest
