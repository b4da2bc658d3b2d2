#include "ingest/kafka_topics.h"

#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr int kAnswerMs = 10'000;
constexpr int kAskAgainMs = 50;
constexpr int kManyReplicas = 3;  // from here on a second one must be in sync

using Settings = std::map<std::string, std::string>;
using Admin = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, KafkaFree<rd_kafka_event_destroy>>;

struct Shape {
  int partitions = 0;
  int replicas = 0;
};

// Nothing: there is no such topic. A topic whose partitions have no leader yet is asked for again.
Result<std::optional<Shape>> shape_of(rd_kafka_t* client, const std::string& name) {
  MILLRACE_TRY(const auto topic, kafka_topic(client, name));
  const auto until = steady_micros() + std::int64_t{kAnswerMs} * 1000;
  for (;;) {
    const rd_kafka_metadata_t* raw = nullptr;
    const auto error = rd_kafka_metadata(client, 0, topic.get(), &raw, kAnswerMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(Code::kUnavailable, kafka_reason("no answer from Kafka", error));
    }
    const std::unique_ptr<const rd_kafka_metadata_t, KafkaFree<rd_kafka_metadata_destroy>> metadata(
        raw);
    const auto& found = metadata->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
    Shape shape{found.partition_cnt, 0};
    bool led = found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > 0;
    for (int i = 0; i < found.partition_cnt; ++i) {
      led = led && found.partitions[i].leader >= 0;
      shape.replicas = found.partitions[i].replica_cnt;
    }
    if (led) return shape;
    if (steady_micros() > until) {
      return fail(Code::kUnavailable, kafka_reason("topic " + name + " has no leader", found.err));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kAskAgainMs));
  }
}

Admin admin_options(rd_kafka_t* client, rd_kafka_admin_op_t operation) {
  Admin options(rd_kafka_AdminOptions_new(client, operation));
  std::array<char, 128> reason{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kAnswerMs, reason.data(), reason.size());
  return options;
}

// The settings of a topic, or of a broker; nothing when the cluster does not show them.
std::optional<Settings> settings_of(rd_kafka_t* client, rd_kafka_ResourceType_t type,
                                    const std::string& name) {
  const KafkaQueue queue(rd_kafka_queue_new(client));
  const std::unique_ptr<rd_kafka_ConfigResource_t, KafkaFree<rd_kafka_ConfigResource_destroy>>
      resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  auto* asked = resource.get();
  const auto options = admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(client, &asked, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), kAnswerMs));
  const auto* result = event ? rd_kafka_event_DescribeConfigs_result(event.get()) : nullptr;
  if (result == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count == 0 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  Settings settings;
  const auto* const* entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    settings[rd_kafka_ConfigEntry_name(entries[i])] = value == nullptr ? "" : value;
  }
  return settings;
}

std::int64_t number_in(const Settings& settings, const char* name) {
  const auto found = settings.find(name);
  std::int64_t value = -1;
  if (found != settings.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  }
  return value;
}

int default_replicas(rd_kafka_t* client) {
  const rd_kafka_metadata_t* raw = nullptr;
  if (rd_kafka_metadata(client, 0, nullptr, &raw, kAnswerMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return 1;
  }
  const std::unique_ptr<const rd_kafka_metadata_t, KafkaFree<rd_kafka_metadata_destroy>> metadata(
      raw);
  if (metadata->broker_cnt == 0) return 1;
  const auto broker =
      settings_of(client, RD_KAFKA_RESOURCE_BROKER, std::to_string(metadata->brokers[0].id));
  return broker ? static_cast<int>(number_in(*broker, "default.replication.factor")) : 1;
}

Settings exact_settings() {
  return {{"cleanup.policy", "delete"},
          {"message.timestamp.type", "LogAppendTime"},
          {"unclean.leader.election.enable", "false"}};
}

Settings settings_to_make(rd_kafka_t* client, const TopicWish& wish) {
  if (wish.rules == TopicWish::Rules::kNone) return {};
  if (wish.rules == TopicWish::Rules::kLatest) {
    return {{"cleanup.policy", "compact"},
            {"segment.ms", "600000"},
            {"min.cleanable.dirty.ratio", "0.1"},
            {"delete.retention.ms", "60000"}};
  }
  auto settings = exact_settings();
  settings["retention.ms"] = "-1";
  settings["retention.bytes"] = "-1";
  settings["max.message.bytes"] = std::to_string(wish.max_message_bytes);
  if (default_replicas(client) >= kManyReplicas) settings["min.insync.replicas"] = "2";
  return settings;
}

Status create(rd_kafka_t* client, const TopicWish& wish) {
  std::array<char, 256> reason{};
  const int partitions = wish.partitions == 0 ? kDefaultKafkaPartitions : wish.partitions;
  constexpr int kBrokersDefault = -1;
  const std::unique_ptr<rd_kafka_NewTopic_t, KafkaFree<rd_kafka_NewTopic_destroy>> topic(
      rd_kafka_NewTopic_new(wish.name.c_str(), partitions, kBrokersDefault, reason.data(),
                            reason.size()));
  if (!topic) return fail(Code::kInvalid, "topic " + wish.name + ": " + reason.data());
  for (const auto& [name, value] : settings_to_make(client, wish)) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const KafkaQueue queue(rd_kafka_queue_new(client));
  const auto options = admin_options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), kAnswerMs, reason.data(),
                                              reason.size());
  auto* asked = topic.get();
  rd_kafka_CreateTopics(client, &asked, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), 2 * kAnswerMs));
  const auto* result = event ? rd_kafka_event_CreateTopics_result(event.get()) : nullptr;
  if (result == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Code::kUnavailable,
                "topic " + wish.name + " cannot be made: " +
                    (event ? rd_kafka_event_error_string(event.get()) : "no answer"));
  }
  std::size_t count = 0;
  const auto* const* topics = rd_kafka_CreateTopics_result_topics(result, &count);
  const auto error =
      count == 0 ? RD_KAFKA_RESP_ERR_UNKNOWN : rd_kafka_topic_result_error(topics[0]);
  // Another node may have been quicker.
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    return {};
  }
  const char* detail = count == 0 ? nullptr : rd_kafka_topic_result_error_string(topics[0]);
  return fail(Code::kUnavailable, "topic " + wish.name + " cannot be made: " +
                                      (detail == nullptr ? rd_kafka_err2str(error) : detail));
}

Status check(rd_kafka_t* client, const TopicWish& wish, const Shape& shape) {
  std::string differs;
  const auto differ = [&differs](const std::string& name, const std::string& is,
                                 const std::string& wanted) {
    differs += (differs.empty() ? "" : "; ") + name + " is " + is + ", must be " + wanted;
  };
  if (wish.partitions != 0 && shape.partitions != wish.partitions) {
    differ("the number of partitions", std::to_string(shape.partitions),
           std::to_string(wish.partitions) + ", which cannot change: configure the topic's number");
  }
  const auto settings = settings_of(client, RD_KAFKA_RESOURCE_TOPIC, wish.name);
  if (settings) {
    for (const auto& [name, wanted] : exact_settings()) {
      const auto found = settings->find(name);
      if (found != settings->end() && found->second != wanted) differ(name, found->second, wanted);
    }
    const auto largest = number_in(*settings, "max.message.bytes");
    if (largest < wish.max_message_bytes) {
      differ("max.message.bytes", std::to_string(largest),
             "at least " + std::to_string(wish.max_message_bytes));
    }
    const auto in_sync = number_in(*settings, "min.insync.replicas");
    if (shape.replicas >= kManyReplicas && in_sync < 2) {
      differ("min.insync.replicas", std::to_string(in_sync), "at least 2");
    }
    for (const auto* limit : {"retention.ms", "retention.bytes"}) {
      if (number_in(*settings, limit) < 0) continue;
      log_warn("topic " + wish.name + " has " + limit + "=" + settings->at(limit) +
               ": what Kafka drops can be neither replayed nor verified");
    }
  } else {
    log_warn("Kafka does not show the settings of topic " + wish.name + ": they are not checked");
  }
  if (differs.empty()) return {};
  return fail(Code::kInvalid, "topic " + wish.name + ": " + differs, "kafka");
}

}  // namespace

Result<int> ensure_topic(rd_kafka_t* client, const TopicWish& wish) {
  MILLRACE_TRY(auto shape, shape_of(client, wish.name));
  if (!shape) {
    MILLRACE_CHECK(create(client, wish));
    const auto until = steady_micros() + std::int64_t{kAnswerMs} * 1000;
    while (!shape && steady_micros() < until) {
      MILLRACE_TRY(shape, shape_of(client, wish.name));
    }
    if (!shape)
      return fail(Code::kUnavailable, "topic " + wish.name + " was made but is not there");
    log_info("made topic " + wish.name + " with " + std::to_string(shape->partitions) +
             " partitions, " + std::to_string(shape->replicas) + " replicas");
  }
  if (wish.rules == TopicWish::Rules::kLog) MILLRACE_CHECK(check(client, wish, *shape));
  return shape->partitions;
}

}  // namespace millrace::ingest
