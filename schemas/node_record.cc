#include "schemas/node_record.h"

#include <utility>

#include "schemas/proto/nodes.pb.h"
#include "schemas/stored_message.h"

namespace millrace {

std::string_view state_name(NodeState state) {
  switch (state) {
    case NodeState::kStarting: return "starting";
    case NodeState::kRestoring: return "restoring";
    case NodeState::kCatchingUp: return "catching-up";
    case NodeState::kReady: return "ready";
    case NodeState::kLeaving: return "leaving";
  }
  return "unknown";
}

std::string encode(const NodeRecord& node) {
  proto::Node message;
  message.set_id(node.id);
  message.set_url(node.url);
  message.set_incarnation(node.incarnation);
  message.set_version(node.version);
  message.set_state(static_cast<std::uint32_t>(node.state));
  message.set_started_ms(node.started);
  for (const auto& [partition, next] : node.next) {
    auto& position = *message.add_positions();
    position.set_topic(static_cast<std::uint32_t>(partition.topic));
    position.set_partition(partition.index);
    position.set_next_offset(next);
  }
  message.set_restored_bytes(node.restored_bytes);
  message.set_restore_bytes(node.restore_bytes);
  message.set_stale_ms(node.stale_ms);
  return message.SerializeAsString();
}

Result<NodeRecord> decode_node(std::string_view bytes) {
  proto::Node message;
  if (!parse_message(message, bytes) || message.id().empty() ||
      message.state() > static_cast<std::uint32_t>(NodeState::kLeaving)) {
    return corrupt_bytes("node");
  }
  NodeRecord node{message.id(),
                  message.url(),
                  message.incarnation(),
                  message.version(),
                  static_cast<NodeState>(message.state()),
                  message.started_ms(),
                  {},
                  message.restored_bytes(),
                  message.restore_bytes(),
                  message.stale_ms()};
  for (const auto& position : message.positions()) {
    if (position.topic() > 1 || position.partition() > UINT16_MAX) return corrupt_bytes("node");
    node.next[{static_cast<Topic>(position.topic()),
               static_cast<std::uint16_t>(position.partition())}] = position.next_offset();
  }
  return node;
}

}  // namespace millrace
