#include "schemas/node_record.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(NodeRecord, IsReadAsItWasWritten) {
  NodeRecord node;
  node.id = "n1";
  node.url = "http://10.0.0.1:8080";
  node.incarnation = "first";
  node.version = "0.1.0";
  node.state = NodeState::kRestoring;
  node.started = 1'790'000;
  node.next[{Topic::kInteractions, 3}] = 17;
  node.next[kCatalogPartition] = 4;
  node.restored_bytes = 5;
  node.restore_bytes = 10;
  node.stale_ms = 1'200;
  EXPECT_EQ(decode_node(encode(node)).value(), node);
}

TEST(NodeRecord, OtherBytesAreNone) {
  EXPECT_EQ(decode_node("").error().code, Code::kCorrupt) << "it has no id";
  EXPECT_EQ(decode_node("no node").error().code, Code::kCorrupt);
}

TEST(NodeRecord, EveryStateHasAName) {
  for (int state = 0; state <= static_cast<int>(NodeState::kLeaving); ++state) {
    EXPECT_NE(state_name(static_cast<NodeState>(state)), "unknown");
  }
}

}  // namespace
}  // namespace millrace
