#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "ingest/kafka_nodes.h"
#include "processors/engine.h"
#include "processors/freshness.h"
#include "schemas/node_record.h"
#include "serving/deps.h"

namespace millrace::app {

// This node among the others: what it tells of itself, and what it hears. With the embedded log it
// is alone. Thread-safe.
class Cluster {
 public:
  static Result<std::unique_ptr<Cluster>> open(const ServeConfig& config, Metrics& metrics,
                                               const Clock& clock);

  void set_state(NodeState state);  // told at once
  void set_restored(std::uint64_t bytes, std::uint64_t of_bytes);
  void set_url(std::string url);
  // Where the node stands is theirs to say from now on, until forget().
  void watch(const processors::Engine& engine, const processors::Freshness& freshness);
  void forget();
  void leave();  // the others forget this node

  // This node first among equals: all of them by id.
  std::vector<serving::NodeView> nodes() const;
  // Those that can give a checkpoint, once all that live have been heard.
  std::vector<NodeRecord> peers() const;

 private:
  Cluster(const ServeConfig& config, Metrics& metrics, const Clock& clock);
  NodeRecord self() const;
  void refresh_gauges();

  const ServeConfig& config_;
  Metrics& metrics_;
  mutable std::mutex mutex_;
  NodeRecord self_;
  const processors::Engine* engine_ = nullptr;
  const processors::Freshness* freshness_ = nullptr;
  std::unique_ptr<ingest::KafkaNodes> nodes_;  // null: alone
};

}  // namespace millrace::app
