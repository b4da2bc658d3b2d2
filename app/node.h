#pragma once
#include <functional>
#include <memory>
#include <string>

#include "app/cluster.h"
#include "app/config.h"
#include "app/maintenance.h"
#include "app/open_log.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/acceptor.h"
#include "ingest/event_log.h"
#include "ingest/impressions.h"
#include "processors/engine.h"
#include "processors/freshness.h"
#include "processors/training/jobs.h"
#include "processors/training/trainer.h"
#include "schemas/uuid7.h"
#include "serving/deps.h"
#include "serving/http/gate.h"
#include "serving/http/router.h"
#include "serving/http/server.h"
#include "serving/live/hub.h"
#include "serving/media/media.h"

namespace millrace::app {

// One Millrace: every part, built in one visible order and torn down in the reverse. Tests start it
// too.
class Node {
 public:
  enum class Http { kListen, kNone };  // kNone: requests are answered in process, by call()

  // Ready to answer when it returns: caught up with the log, the proposed rules in force.
  static Result<std::unique_ptr<Node>> start(const ServeConfig& config, Http http);
  ~Node();  // stop()

  // Says that it is leaving, stops listening after the grace, lets requests in flight finish,
  // leaves the others, commits what was applied.
  void stop();

  std::uint16_t port() const { return server_ ? server_->port() : std::uint16_t{0}; }
  // Reads the TLS certificate and its key again.
  Status reload_tls() { return server_ ? server_->reload_tls() : Status(); }
  // Answers a request without a socket, waiting for a Later.
  serving::Reply call(serving::Request request) const;
  // Erases a person, or merges one into another, as /v1/users/{id} does.
  Status carry_out(const state::Demand& demand);

  processors::Engine& engine() { return *engine_; }
  ingest::EventLog& log() { return *log_; }
  Metrics& metrics() { return metrics_; }
  Maintenance& maintenance() { return *maintenance_; }

 private:
  explicit Node(const ServeConfig& config) : config_(config), folders_(config.data) {}
  Status build(Http http);
  Status open_engine();
  Result<bool> restore(const std::string& why);
  Status open_media();
  serving::Deps parts();
  Maintenance::Options maintenance_options(const serving::Deps& deps, Http http) const;
  Status check_addresses() const;
  Status put_rates();
  Status listen(const serving::Deps& deps);

  const ServeConfig config_;
  const DataFolders folders_;
  SystemClock clock_;
  Uuid7Minter ids_{clock_};
  Metrics metrics_;
  std::unique_ptr<ingest::FileLock> lock_;  // with Kafka
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<ingest::EventLog> log_;
  std::unique_ptr<processors::Engine> engine_;
  std::unique_ptr<processors::Freshness> freshness_;
  std::unique_ptr<ingest::Impressions> impressions_;
  std::unique_ptr<processors::Trainer> trainer_;  // whose trainings are over once jobs_ is gone
  std::unique_ptr<processors::Jobs> jobs_;
  std::unique_ptr<ingest::Acceptor> acceptor_;
  std::unique_ptr<ingest::KafkaSource> source_;  // with Kafka
  std::unique_ptr<serving::Media> media_;        // while it listens
  std::shared_ptr<serving::Gate> gate_;
  std::unique_ptr<serving::LiveHub> live_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<serving::Router> router_;  // of call(); the server has its own
  std::unique_ptr<serving::Server> server_;
  bool stopped_ = false;
};

}  // namespace millrace::app
