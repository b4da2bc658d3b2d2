// What a node answers while others write the same log: it has not heard of everything yet.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "base/crypto.h"
#include "schemas/catalog_record.h"
#include "schemas/interaction_table.h"
#include "schemas/item.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "tests/support/eventually.h"
#include "tests/support/people.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;

bool answered(std::future<TestReply>& reply) {
  return reply.wait_for(milliseconds(0)) == std::future_status::ready;
}

class SharedLog : public ::testing::Test {
 protected:
  static TestNode::Options options(int wait_ms = 20'000) {
    TestNode::Options options;
    options.surface.position_wait_ms = wait_ms;
    options.shared = true;
    return options;
  }
  static void by_another(TestNode& node, decltype(CatalogRecord::change) change) {
    node.log().push_by_another(kCatalogPartition,
                               encode(CatalogRecord{random_secret(), std::move(change)}));
  }
  static Item item(const std::string& id) {
    Item item;
    item.id = ItemId(id);
    item.title = "Made elsewhere";
    return item;
  }
};

TEST_F(SharedLog, APositionThatIsNotHeardOfYetIsWaitedFor) {
  TestNode node(options());
  const auto end = node.log().end(kCatalogPartition);
  by_another(node, item("video:1"));
  auto reply = node.begin("GET", "/v1/items?position=c:" + std::to_string(end));
  EXPECT_FALSE(answered(reply));
  node.log().hear();
  EXPECT_EQ(reply.get().status(), 200);
}

TEST_F(SharedLog, APositionThatDoesNotComeIsA503) {
  TestNode node(options(50));
  const auto reply = node.get("/v1/items?position=i0:1000000");
  EXPECT_EQ(reply.status(), 503);
  EXPECT_FALSE(reply.header("Retry-After").empty());
  EXPECT_EQ(node.get("/v1/items?position=i9:1").status(), 400) << "there is no such partition";
}

TEST(OwnLog, APositionBehindTheEndIsRefused) {
  TestNode node;
  EXPECT_EQ(node.get("/v1/items?position=i0:1000000").status(), 400);
}

TEST_F(SharedLog, AnItemThatAnotherNodeMadeIsThere) {
  TestNode node(options());
  by_another(node, item("video:1"));
  auto reply = node.begin("GET", "/v1/items/video:1");
  EXPECT_FALSE(answered(reply));
  node.log().hear();
  EXPECT_EQ(reply.get().at("title"), "Made elsewhere");
  EXPECT_EQ(node.get("/v1/items/video:2").status(), 404);
}

TEST_F(SharedLog, ATokenThatAnotherNodeGaveIsGood) {
  TestNode node(options());
  const auto ann = enter(node, "ann");
  const auto path = "/api/users/" + ann.id + "/";
  const TestNode::Headers second = {{"authorization", "Bearer a second token"}};
  EXPECT_EQ(node.get(path, second).status(), 401);
  by_another(node, IssueToken{AccountId(std::stoull(ann.id)), token_hash("a second token")});
  auto reply = node.begin("GET", path, {}, second);
  EXPECT_FALSE(answered(reply));
  node.log().hear();
  EXPECT_EQ(reply.get().at("username"), "ann");
}

TEST_F(SharedLog, AnAccountThatAnotherNodeMadeCanLogIn) {
  TestNode node(options());
  by_another(node, SignUp{"bob", "bob@example.org", hash_password("a long sentence"), Role::kUser});
  auto reply =
      node.begin("POST", "/api/token/", R"({"username":"bob","password":"a long sentence"})");
  EXPECT_FALSE(answered(reply));
  node.log().hear();
  EXPECT_EQ(reply.get().at("token").size(), 43u);
}

// Nobody can make the server hold memory for credentials that are none.
TEST_F(SharedLog, WhatWaitsForTheOthersIsBounded) {
  TestNode node(options());
  enter(node, "ann");
  by_another(node, item("video:1"));
  const std::string body(serving::Dispatcher::kMaxHeldBytes / 2, 'x');
  const TestNode::Headers bad = {{"authorization", "Bearer nobody's"}};
  auto held = node.begin("POST", "/v1/events", body, bad);
  EXPECT_FALSE(answered(held));
  const auto refused = node.call("POST", "/v1/events", body, bad);
  EXPECT_EQ(refused.status(), 503);
  EXPECT_FALSE(refused.header("Retry-After").empty());
  node.log().hear();
  EXPECT_EQ(held.get().status(), 401);
  EXPECT_TRUE(eventually([&] {
    return node.call("POST", "/v1/events", body, bad).status() == 401;
  })) << "what was held is given back";
}

class ClusterSurface : public SharedLog {
 protected:
  static serving::NodeView view(const std::string& id, NodeState state, bool self = false) {
    serving::NodeView view;
    view.record.id = id;
    view.record.state = state;
    view.record.next[kCatalogPartition] = 3;
    view.record.restored_bytes = 5;
    view.record.restore_bytes = 10;
    view.self = self;
    return view;
  }
};

TEST_F(ClusterSurface, SaysWhoIsThereAndWhatMoves) {
  TestNode node;
  for (int i = 0; i < 5; ++i) node.put("video:" + std::to_string(i));
  node.set_nodes({view("a", NodeState::kReady, true), view("b", NodeState::kRestoring),
                  view("c", NodeState::kCatchingUp)});
  const auto reply = node.get("/v1/admin/cluster");
  ASSERT_EQ(reply.size("nodes"), 3u);
  EXPECT_EQ(reply.at("nodes.0.self"), "true");
  EXPECT_EQ(reply.at("nodes.1.state"), "restoring");
  EXPECT_EQ(reply.at("nodes.2.partitions.0.partition"), "c");
  EXPECT_EQ(reply.number("nodes.2.lag"), 2);
  ASSERT_EQ(reply.size("moving"), 2u);
  EXPECT_EQ(reply.number("moving.0.bytes"), 5);
  EXPECT_EQ(reply.number("moving.0.of_bytes"), 10);
  EXPECT_EQ(reply.number("moving.1.lag"), 2);
}

TEST_F(ClusterSurface, ANodeThatLeavesIsNotReady) {
  TestNode node;
  node.set_nodes({view("a", NodeState::kReady, true), view("b", NodeState::kLeaving)});
  EXPECT_EQ(node.get("/ready/").status(), 200);
  node.set_nodes({view("a", NodeState::kLeaving, true)});
  const auto reply = node.get("/ready/");
  EXPECT_EQ(reply.status(), 503);
  EXPECT_EQ(reply.at("detail"), "leaving");
}

TEST_F(ClusterSurface, ACheckpointsFilesCanBeReadAndNothingElse) {
  TestNode node;
  node.put("video:1");
  const auto taken = node.call("POST", "/v1/admin/checkpoint?max_age_ms=1000");
  ASSERT_EQ(taken.at("name"), "checkpoint-1");
  const auto folder = std::string("/v1/admin/checkpoints/checkpoint-1");
  const auto list = node.get(folder);
  const auto last = list.size("files") - 1;
  EXPECT_EQ(list.at("files." + std::to_string(last) + ".path"), "MANIFEST.millrace");
  const auto manifest = node.get(folder + "/files/MANIFEST.millrace");
  EXPECT_EQ(manifest.status(), 200);
  EXPECT_EQ(std::to_string(manifest.body().size()),
            list.at("files." + std::to_string(last) + ".bytes"));
  EXPECT_EQ(manifest.header("X-Millrace-Digest").size(), 32u);
  EXPECT_EQ(node.get(folder + "/files/MANIFEST.millrace?offset=10").body(),
            manifest.body().substr(10));
  EXPECT_EQ(node.get(folder + "/files/MANIFEST.millrace?offset=1000000").body(), "");
  for (const char* file : {"..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "catalog", "none"}) {
    EXPECT_EQ(node.get(folder + "/files/" + file).status(), 404) << file;
  }
  EXPECT_EQ(node.get("/v1/admin/checkpoints/..").status(), 404);
  EXPECT_EQ(node.get("/v1/admin/checkpoints/checkpoint-2").status(), 404);
}

// What another node had answered before somebody liked a video is in the count that they get.
TEST_F(SharedLog, AnActionCountsWhatOthersHadDoneBefore) {
  TestNode node(options());
  const auto root = enter(node, "root", Role::kAdmin);
  const auto ann = enter(node, "ann"), bob = enter(node, "bob"), cid = enter(node, "cid");
  node.log().hear();
  ASSERT_EQ(node.call("PUT", "/v1/items/video:1", R"({"title":"V"})", root.as()).status(), 201);
  const auto partition = [](const Person& of) { return partition_of(of.id, 3); };
  const auto& other = partition(bob) != partition(ann) ? bob : cid;
  ASSERT_NE(partition(other), partition(ann)) << "somebody whom ann's partition says nothing of";
  Interaction like;
  like.type_number = static_cast<std::uint32_t>(BuiltIn::kLike);
  like.weight = 4;
  like.event.id = "theirs";
  like.event.user = UserId(other.id);
  like.event.item = ItemId("video:1");
  like.event.time = node.clock().now();
  node.log().push_by_another({Topic::kInteractions, partition(other)}, encode(LogRecord{like}));
  auto reply = node.begin("POST", "/api/v1/shoppable-videos/1/like/", {}, ann.as());
  // Whoever waited for the like's own position has heard of it before this is answered.
  const auto later = R"({"type":"click","data":{"user":")" + ann.id + R"(","item":"video:1"}})";
  ASSERT_EQ(node.call("POST", "/v1/events?wait=applied", later, ann.as()).status(), 200);
  EXPECT_FALSE(answered(reply));
  node.log().hear();
  EXPECT_EQ(reply.get().body(), R"({"status":"success","liked":true,"likes_count":2})");
}

}  // namespace
}  // namespace millrace
