#include "ingest/kafka_ends.h"

#include <utility>

#include "base/log.h"

namespace millrace::ingest {

Result<std::unique_ptr<KafkaEnds>> KafkaEnds::open(Options options) {
  KafkaClientOptions client;
  client.type = RD_KAFKA_CONSUMER;
  client.connection = options.connection;
  MILLRACE_TRY(auto handle, kafka_client(client));
  return std::unique_ptr<KafkaEnds>(new KafkaEnds(std::move(options), std::move(handle)));
}

KafkaEnds::KafkaEnds(Options options, KafkaHandle client)
    : options_(std::move(options)),
      client_(std::move(client)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

KafkaEnds::~KafkaEnds() {
  thread_ = {};
  for (const auto& done : waiting_) done(std::nullopt);
}

void KafkaEnds::ask(Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  asked_.notify_one();
}

void KafkaEnds::run(const std::stop_token& stop) {
  for (;;) {
    std::vector<Done> asking;
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, stop, [this] { return !waiting_.empty(); });
      if (stop.stop_requested()) return;
      asking.swap(waiting_);
    }
    const auto ends = query();
    for (const auto& done : asking) done(ends);
  }
}

// One request for each broker that leads some of the partitions.
std::optional<Position> KafkaEnds::query() const {
  const std::unique_ptr<rd_kafka_topic_partition_list_t,
                        KafkaFree<rd_kafka_topic_partition_list_destroy>>
      list(rd_kafka_topic_partition_list_new(options_.partitions + 1));
  const auto add = [&list](const std::string& topic, int partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_END;  // in place of a time
  };
  for (int p = 0; p < options_.partitions; ++p) add(options_.interactions, p);
  add(options_.catalog, 0);
  const auto error = rd_kafka_offsets_for_times(client_.get(), list.get(), options_.answer_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    log_debug(kafka_reason("asking where the log ends", error));
    return std::nullopt;
  }
  Position ends;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& found = list->elems[i];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR || found.offset < 0) return std::nullopt;
    const bool catalog = found.topic == options_.catalog;
    const LogPartition partition =
        catalog ? kCatalogPartition
                : LogPartition{Topic::kInteractions, static_cast<std::uint16_t>(found.partition)};
    if (found.offset > 0) ends.include(partition, found.offset - 1);
  }
  return ends;
}

}  // namespace millrace::ingest
