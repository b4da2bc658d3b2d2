#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/ids.h"

namespace millrace {

// What a node does now. Stored: never reuse a number.
enum class NodeState : std::uint8_t {
  kStarting = 0,
  kRestoring = 1,   // copying a peer's checkpoint
  kCatchingUp = 2,  // applying what the log has
  kReady = 3,
  kLeaving = 4,  // finishing what it has begun
};
std::string_view state_name(NodeState state);  // "catching-up"

// What a node tells the others of itself, about once a second.
struct NodeRecord {
  std::string id;           // kept over restarts
  std::string url;          // where the others reach it; empty: not yet
  std::string incarnation;  // of this start
  std::string version;      // of the program
  NodeState state = NodeState::kStarting;
  UnixMillis started = 0;
  std::map<LogPartition, Offset> next;  // one past the last visible record of each partition
  std::uint64_t restored_bytes = 0;     // of a peer's checkpoint
  std::uint64_t restore_bytes = 0;
  std::int64_t stale_ms = 0;  // since it last knew that it had everything; 0: it has

  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

std::string encode(const NodeRecord& node);
Result<NodeRecord> decode_node(std::string_view bytes);  // kCorrupt

}  // namespace millrace
