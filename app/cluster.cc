#include "app/cluster.h"

#include <algorithm>
#include <utility>

#include "app/build_info.h"
#include "app/open_log.h"
#include "base/crypto.h"
#include "base/log.h"

namespace millrace::app {
namespace {

constexpr int kHearMs = 5'000;  // longest wait for the others when a node begins

}  // namespace

Cluster::Cluster(const ServeConfig& config, Metrics& metrics, const Clock& clock)
    : config_(config), metrics_(metrics) {
  self_.id = node_id(config);
  self_.incarnation = random_secret();
  self_.version = std::string(kVersion);
  self_.started = clock.now();
}

Result<std::unique_ptr<Cluster>> Cluster::open(const ServeConfig& config, Metrics& metrics,
                                               const Clock& clock) {
  std::unique_ptr<Cluster> cluster(new Cluster(config, metrics, clock));
  metrics.on_scrape([raw = cluster.get()] { raw->refresh_gauges(); });
  if (config.log.kind != LogKind::kKafka) return cluster;
  ingest::KafkaNodesOptions options;
  options.connection = {config.kafka.bootstrap, config.kafka.properties};
  options.prefix = config.kafka.prefix;
  options.node_id = cluster->self_.id;
  MILLRACE_TRY(cluster->nodes_, ingest::KafkaNodes::open(std::move(options), [raw = cluster.get()] {
                 return encode(raw->self());
               }));
  return cluster;
}

void Cluster::set_state(NodeState state) {
  {
    const std::lock_guard lock(mutex_);
    self_.state = state;
  }
  if (nodes_) nodes_->tell_now();
}

void Cluster::set_restored(std::uint64_t bytes, std::uint64_t of_bytes) {
  const std::lock_guard lock(mutex_);
  self_.restored_bytes = bytes;
  self_.restore_bytes = of_bytes;
}

void Cluster::set_url(std::string url) {
  const std::lock_guard lock(mutex_);
  self_.url = std::move(url);
}

void Cluster::watch(const processors::Engine& engine, const processors::Freshness& freshness) {
  const std::lock_guard lock(mutex_);
  engine_ = &engine;
  freshness_ = &freshness;
}

void Cluster::forget() {
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
  freshness_ = nullptr;
}

void Cluster::leave() {
  if (nodes_) nodes_->leave();
}

NodeRecord Cluster::self() const {
  const std::lock_guard lock(mutex_);
  NodeRecord node = self_;
  if (engine_ != nullptr) {
    const auto position = engine_->publisher().position();
    for (const auto& [partition, offset] : position.at()) {
      node.next[partition] = offset + 1;
    }
    node.stale_ms = freshness_->stale_ms();
  }
  return node;
}

std::vector<serving::NodeView> Cluster::nodes() const {
  std::vector<serving::NodeView> all;
  all.push_back({self(), 0, true});
  const auto& own = all.front().record.id;
  if (!nodes_) return all;
  for (const auto& heard : nodes_->heard()) {
    auto node = decode_node(heard.bytes);
    if (!node) {
      log_warn("node " + heard.id + " tells what this program does not know");
    } else if (node->id != own) {
      all.push_back({*std::move(node), heard.ago_ms, false});
    } else if (node->incarnation != all.front().record.incarnation && heard.ago_ms < 1'000) {
      log_error("another node calls itself " + own + ", too: each needs a --node-id of its own");
    }
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.record.id < b.record.id; });
  return all;
}

std::vector<NodeRecord> Cluster::peers() const {
  std::vector<NodeRecord> peers;
  if (!nodes_) return peers;
  if (!nodes_->wait_heard(kHearMs)) log_warn("the other nodes were not heard in time");
  for (auto& node : nodes()) {
    if (!node.self && node.record.state == NodeState::kReady && !node.record.url.empty()) {
      peers.push_back(std::move(node.record));
    }
  }
  return peers;
}

// By the names that exporters and dashboards for Kafka use. A node's group reads alone.
void Cluster::refresh_gauges() {
  const std::lock_guard lock(mutex_);
  metrics_.gauge("restore_bytes", "Size of the peer's checkpoint that this node started from.")
      .set(static_cast<double>(self_.restore_bytes));
  metrics_.gauge("restored_bytes", "How much of it has been copied.")
      .set(static_cast<double>(self_.restored_bytes));
  if (engine_ == nullptr || !nodes_) return;
  metrics_
      .gauge("staleness_seconds",
             "Time since readers last saw everything there was; 0 below the threshold.")
      .set(static_cast<double>(freshness_->stale_ms()) / 1e3);
  const auto group = config_.kafka.prefix + "millrace." + self_.id;
  for (const auto& status : engine_->status()) {
    const bool catalog = status.partition == kCatalogPartition;
    const Labels topic = {{"topic", config_.kafka.prefix + (catalog ? "catalog" : "interactions")},
                          {"partition", std::to_string(status.partition.index)}};
    Labels own = topic;
    own["consumergroup"] = group;
    metrics_
        .gauge("kafka_topic_partition_current_offset", "One past the partition's last record.",
               topic)
        .set(static_cast<double>(status.log_end));
    metrics_
        .gauge("kafka_consumergroup_current_offset",
               "One past the last record that a group is done with.", own)
        .set(static_cast<double>(status.visible));
    metrics_.gauge("kafka_consumergroup_lag", "Records that a group is not done with.", own)
        .set(static_cast<double>(std::max<Offset>(0, status.log_end - status.visible)));
  }
}

}  // namespace millrace::app
