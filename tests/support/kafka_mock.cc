#include "tests/support/kafka_mock.h"

#include <array>
#include <stdexcept>

namespace millrace {

KafkaMock::KafkaMock(int brokers) {
  std::array<char, 256> reason{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, nullptr);  // it would say that it has no brokers
  client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size());
  if (client_ == nullptr) throw std::runtime_error(reason.data());
  cluster_ = rd_kafka_mock_cluster_new(client_, brokers);
}

KafkaMock::~KafkaMock() {
  rd_kafka_mock_cluster_destroy(cluster_);
  rd_kafka_destroy(client_);
}

void KafkaMock::make_topic(const std::string& name, int partitions) {
  const auto error = rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

void KafkaMock::fail_produce(const std::vector<rd_kafka_resp_err_t>& errors) {
  constexpr std::int16_t kProduce = 0;  // of the protocol
  rd_kafka_mock_push_request_errors_array(cluster_, kProduce, errors.size(), errors.data());
}

}  // namespace millrace
