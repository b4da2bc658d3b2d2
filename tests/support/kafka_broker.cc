#include "tests/support/kafka_broker.h"

#include <signal.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "ingest/kafka_client.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/tls_client.h"

namespace millrace {
namespace {

constexpr int kAdminMs = 30'000;
constexpr int kTries = 3;  // another process may take a port that was free

std::filesystem::path jars() {
  return std::filesystem::path(MILLRACE_SOURCE_DIR) / "build" / "kafka" / "libs";
}

// Small and quick to start; setpriv lets it die with us.
std::vector<std::string> java(std::vector<std::string> args) {
  std::vector<std::string> all = {
      "setpriv",  "--pdeathsig",          "KILL",         "java",
      "-Xmx512m", "-XX:+UseSerialGC",     "-Xshare:auto", "-XX:TieredStopAtLevel=1",
      "-cp",      (jars() / "*").string()};
  all.insert(all.end(), args.begin(), args.end());
  return all;
}

using Event = std::unique_ptr<rd_kafka_event_t, ingest::KafkaFree<rd_kafka_event_destroy>>;

ingest::KafkaHandle admin_of(const std::string& bootstrap) {
  ingest::KafkaClientOptions options;
  options.connection.bootstrap = bootstrap;
  return ingest::kafka_client(options).value();
}

}  // namespace

std::string KafkaBroker::missing() {
  std::error_code error;
  if (!program_exists("java")) return "no java: apt-get install openjdk-17-jre-headless";
  if (std::filesystem::exists(jars(), error)) return {};
  return "no Kafka in build/kafka: `./dev test` fetches it when Maven's index can be reached";
}

KafkaBroker& KafkaBroker::shared() {
  static KafkaBroker broker;
  return broker;
}

KafkaBroker::KafkaBroker(bool secured) {
  if (secured) {
    secure_port_ = 1;
    const auto made = make_certificate(folder_.path().string(), "localhost");
    std::ofstream both(folder_.path() / "keystore.pem");
    both << std::ifstream(made.key).rdbuf() << std::ifstream(made.certificate).rdbuf();
  }
  std::string why;
  for (int i = 0; i < kTries; ++i) {
    write_properties();
    const auto formatted = run_command(
        java({"kafka.tools.StorageTool", "format", "--ignore-formatted", "-t",
              "bWlsbHJhY2UtdGVzdHMtMQ", "-c", (folder_.path() / "server.properties").string()}));
    if (formatted.exit_code != 0) throw std::runtime_error(formatted.out + formatted.err);
    why = start();
    if (why.empty()) return;
    process_.reset();
  }
  throw std::runtime_error("Kafka did not start:\n" + why);
}

KafkaBroker::~KafkaBroker() = default;

void KafkaBroker::write_properties() {
  port_ = free_port();
  if (secure_port_ != 0) secure_port_ = free_port();
  controller_port_ = free_port();
  const auto broker = "127.0.0.1:" + std::to_string(port_);
  const auto controller = "127.0.0.1:" + std::to_string(controller_port_);
  std::ofstream out(folder_.path() / "server.properties");
  out << "process.roles=broker,controller\nnode.id=1\n"
      << "controller.quorum.voters=1@" << controller << "\n"
      << "listeners=PLAINTEXT://" << broker << ",CONTROLLER://" << controller
      << (secure_port_ == 0 ? "" : ",SASL_SSL://" + secure_bootstrap()) << "\n"
      << "advertised.listeners=PLAINTEXT://" << broker
      << (secure_port_ == 0 ? "" : ",SASL_SSL://" + secure_bootstrap()) << "\n"
      << "controller.listener.names=CONTROLLER\n"
      << "log.dirs=" << data().string() << "\n"
      << "auto.create.topics.enable=false\n"
      << "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=2\n"
      << "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
      << "group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=500\n";
  if (secure_port_ != 0) write_security(out);
}

void KafkaBroker::write_security(std::ostream& out) const {
  out << "listener.security.protocol.map="
      << "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL\n"
      << "ssl.keystore.type=PEM\n"
      << "ssl.keystore.location=" << (folder_.path() / "keystore.pem").string() << "\n"
      << "sasl.enabled.mechanisms=PLAIN\n"
      << "listener.name.sasl_ssl.plain.sasl.jaas.config="
      << "org.apache.kafka.common.security.plain.PlainLoginModule required "
      << "user_millrace=\"right\";\n";
}

std::string KafkaBroker::start() {
  const auto output = folder_.path() / ("output-" + std::to_string(++starts_));
  process_ = std::make_unique<BackgroundCommand>(
      java({"kafka.Kafka", (folder_.path() / "server.properties").string()}), output.string());
  const bool ready = eventually(
      [this] {
        return !process_->alive() ||
               process_->output().find("Kafka Server started") != std::string::npos;
      },
      std::chrono::seconds(120));
  return ready && process_->alive() ? std::string() : process_->output();
}

std::string KafkaBroker::unique_prefix() { return "t" + std::to_string(++prefixes_) + "-"; }

void KafkaBroker::make_topic(const std::string& name, int partitions,
                             const Settings& settings) const {
  const auto client = admin_of(bootstrap());
  const ingest::KafkaQueue queue(rd_kafka_queue_new(client.get()));
  auto* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, nullptr, 0);
  for (const auto& [key, value] : settings) {
    rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
  }
  rd_kafka_CreateTopics(client.get(), &topic, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), kAdminMs));
  rd_kafka_NewTopic_destroy(topic);
  std::size_t count = 0;
  const auto* result = rd_kafka_event_CreateTopics_result(event.get());
  if (result == nullptr) throw std::runtime_error("no topic " + name);
  const auto* const* topics = rd_kafka_CreateTopics_result_topics(result, &count);
  if (rd_kafka_topic_result_error(topics[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(rd_kafka_topic_result_error_string(topics[0]));
  }
}

void KafkaBroker::delete_records_before(const std::string& topic, int partition,
                                        std::int64_t offset) const {
  const auto client = admin_of(bootstrap());
  const ingest::KafkaQueue queue(rd_kafka_queue_new(client.get()));
  auto* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
  auto* wish = rd_kafka_DeleteRecords_new(list);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_DeleteRecords(client.get(), &wish, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), kAdminMs));
  rd_kafka_DeleteRecords_destroy(wish);
  const auto* result = rd_kafka_event_DeleteRecords_result(event.get());
  if (result == nullptr ||
      rd_kafka_DeleteRecords_result_offsets(result)->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error("records were not deleted");
  }
}

void KafkaBroker::kill() { process_->signal(SIGKILL); }

void KafkaBroker::freeze() { process_->signal(SIGSTOP); }

void KafkaBroker::thaw() { process_->signal(SIGCONT); }

void KafkaBroker::restart() {
  kill();
  const auto why = start();
  if (!why.empty()) throw std::runtime_error("Kafka did not come back:\n" + why);
}

}  // namespace millrace
