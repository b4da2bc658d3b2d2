#pragma once
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/command.h"
#include "tests/support/temp_dir.h"

namespace millrace {

// Apache Kafka as a process of its own: one broker that is its own controller, on ports of
// 127.0.0.1, its data in a folder that goes with it. `./dev test` brings its jars into build/kafka
// (tests/support/kafka/pom.xml). One thread; verbs throw std::runtime_error when they cannot be
// done.
class KafkaBroker {
 public:
  // Started, and answering; with `secured`, at secure_bootstrap() too.
  explicit KafkaBroker(bool secured = false);
  ~KafkaBroker();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  // What is missing to start one, to be said when a test is skipped; "" when nothing is.
  static std::string missing();
  // The one broker of this test program, started when first asked for. Whoever kills or stops it
  // brings it back.
  static KafkaBroker& shared();

  std::string bootstrap() const { return "127.0.0.1:" + std::to_string(port_); }
  // By TLS, with certificate() for its name, and SASL: PLAIN, user "millrace", password "right".
  std::string secure_bootstrap() const { return "localhost:" + std::to_string(secure_port_); }
  std::string certificate() const { return (folder_.path() / "localhost.crt").string(); }
  std::string unique_prefix();  // of topics, so that tests do not meet
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::string output() const { return process_ ? process_->output() : std::string(); }

  using Settings = std::vector<std::pair<std::string, std::string>>;
  void make_topic(const std::string& name, int partitions, const Settings& settings = {}) const;
  void delete_records_before(const std::string& topic, int partition, std::int64_t offset) const;

  void kill();    // SIGKILL
  void freeze();  // SIGSTOP
  void thaw();    // SIGCONT
  void restart();

 private:
  void write_properties();
  void write_security(std::ostream& out) const;
  std::string start();  // why not; "" when it answers

  TempDir folder_;
  std::uint16_t port_ = 0;
  std::uint16_t controller_port_ = 0;
  std::uint16_t secure_port_ = 0;  // 0: not secured
  int starts_ = 0;
  int prefixes_ = 0;
  std::unique_ptr<BackgroundCommand> process_;
};

}  // namespace millrace
