#include "serving/surfaces/cluster.h"

#include <algorithm>
#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/partition_name.h"

namespace millrace::serving {
namespace {

// Against what this node knows of the log's end.
Offset lag_of(LogPartition partition, Offset next, const Deps& deps) {
  return std::max<Offset>(0, deps.log->end(partition) - next);
}

Offset lag_of(const NodeRecord& node, const Deps& deps) {
  Offset lag = 0;
  for (const auto& [partition, next] : node.next) lag += lag_of(partition, next, deps);
  return lag;
}

void append_node(JsonWriter& out, const NodeView& view, const Deps& deps) {
  const auto& node = view.record;
  out.begin_object();
  out.member("id", node.id);
  out.member("url", node.url);
  out.member("self", view.self);
  out.member("state", state_name(node.state));
  out.member("version", node.version);
  out.member("incarnation", node.incarnation);
  out.member("started_at", rfc3339(node.started));
  out.member("heard_ms", view.heard_ms);
  out.member("stale_ms", node.stale_ms);
  out.member("lag", lag_of(node, deps));
  out.key("partitions");
  out.begin_array();
  for (const auto& [partition, next] : node.next) {
    out.begin_object();
    out.member("partition", partition_name(partition));
    out.member("applied", next);
    out.member("lag", lag_of(partition, next, deps));
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

// A node on its way from one state to another, and how far it has come.
void append_move(JsonWriter& out, const NodeRecord& node, const Deps& deps) {
  out.begin_object();
  out.member("node", node.id);
  out.member("state", state_name(node.state));
  if (node.state == NodeState::kRestoring) {
    out.member("bytes", node.restored_bytes);
    out.member("of_bytes", node.restore_bytes);
  }
  if (node.state == NodeState::kCatchingUp) out.member("lag", lag_of(node, deps));
  out.end_object();
}

Reply get_cluster(const Deps& deps) {
  const auto nodes = deps.nodes();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("nodes");
  out.begin_array();
  for (const auto& node : nodes) append_node(out, node, deps);
  out.end_array();
  out.key("moving");
  out.begin_array();
  for (const auto& node : nodes) {
    if (node.record.state != NodeState::kReady) append_move(out, node.record, deps);
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

}  // namespace

std::vector<Route> cluster_routes(const Deps& deps) {
  return {{"GET", "/v1/admin/cluster", Policy::kAdmin,
           [deps](const Request&) { return get_cluster(deps); }}};
}

}  // namespace millrace::serving
