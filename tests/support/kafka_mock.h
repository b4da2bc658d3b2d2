#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

// librdkafka's own cluster in this process, for what a real broker does not do when asked to. It
// keeps the newest 5 MiB of a partition, gives no LogAppendTime, and has no way to make topics or
// to show their settings.
class KafkaMock {
 public:
  explicit KafkaMock(int brokers);
  ~KafkaMock();
  KafkaMock(const KafkaMock&) = delete;
  KafkaMock& operator=(const KafkaMock&) = delete;

  std::string bootstrap() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void make_topic(const std::string& name, int partitions);
  void stop_brokers() { rd_kafka_mock_broker_set_down(cluster_, -1); }
  void start_brokers() { rd_kafka_mock_broker_set_up(cluster_, -1); }
  // The next Produce requests fail so, one after the other.
  void fail_produce(const std::vector<rd_kafka_resp_err_t>& errors);

 private:
  rd_kafka_t* client_;
  rd_kafka_mock_cluster_t* cluster_;
};

}  // namespace millrace
