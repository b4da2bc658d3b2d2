#include "app/peer_restore.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/node.h"
#include "state/checkpoint.h"
#include "tests/support/free_port.h"
#include "tests/support/scripted_server.h"
#include "tests/support/temp_dir.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

NodeRecord peer_at(const std::string& id, std::uint16_t port) {
  NodeRecord peer;
  peer.id = id;
  peer.url = "http://127.0.0.1:" + std::to_string(port);
  return peer;
}

class PeerRestoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServeConfig config;
    config.data = (directory_.path() / "peer").string();
    config.memory_bytes = 64u << 20;
    config.log.partitions = 2;
    config.http.port = 0;
    auto node = Node::start(config, Node::Http::kListen);
    ASSERT_TRUE(node.has_value()) << node.error().detail;
    node_ = *std::move(node);
    serving::Request put;
    put.method = "PUT";
    put.path = "/v1/items/video:1";
    put.headers = {{"content-type", "application/json"}};
    put.body = R"({"title":"Kept"})";
    ASSERT_EQ(node_->call(put).status, 201);
  }
  Result<PeerRestore> restore(const std::vector<NodeRecord>& peers, const Starts& starts = {}) {
    return restore_from_peers(peers, "", starts, state(),
                              [this](std::uint64_t bytes, std::uint64_t of) {
                                EXPECT_LE(bytes, of);
                                told_ = bytes;
                              });
  }
  std::string state() const { return (directory_.path() / "mine" / "state").string(); }
  bool half_kept() const { return fs::exists(state() + ".restoring"); }

  TempDir directory_;
  std::unique_ptr<Node> node_;
  std::uint64_t told_ = 0;
};

TEST_F(PeerRestoreTest, CopiesAWholeCheckpoint) {
  fs::create_directories(state());
  std::ofstream(fs::path(state()) / "old") << "goes";
  const auto restored = restore({peer_at("good", node_->port())});
  ASSERT_TRUE(restored.has_value()) << restored.error().detail;
  EXPECT_EQ(restored->peer, "good");
  EXPECT_EQ(restored->bytes, told_);
  EXPECT_FALSE(fs::exists(fs::path(state()) / "old"));
  EXPECT_FALSE(half_kept());
  const auto theirs = state::read_manifest(node_->maintenance().checkpoint(60'000).value());
  EXPECT_EQ(state::read_manifest(state()).value(), theirs.value());
}

TEST_F(PeerRestoreTest, APeerThatFailsIsPassedOverAndNothingOfItIsKept) {
  ScriptedServer dies, damaged, lies, hostile;
  for (auto* server : {&dies, &damaged, &lies}) {
    server->answer(200, R"({"name":"checkpoint-1","position":""})");
    server->answer(200, R"({"bytes":9,"files":[{"path":"catalog/a","bytes":9}]})");
  }
  dies.answer({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true});
  for (int i = 0; i < 3; ++i) {
    damaged.answer(200, "damaged!!", "X-Millrace-Digest: 00000000000000000000000000000000\r\n");
  }
  lies.answer(503, "{}");
  hostile.answer(200, R"({"name":"checkpoint-1","position":""})");
  hostile.answer(200, R"({"bytes":1,"files":[{"path":"../../escaped","bytes":1}]})");
  const std::vector<NodeRecord> bad = {peer_at("gone", free_port()), peer_at("dies", dies.port()),
                                       peer_at("damaged", damaged.port()),
                                       peer_at("lies", lies.port()),
                                       peer_at("hostile", hostile.port())};
  const auto none = restore(bad);
  ASSERT_FALSE(none.has_value());
  for (const auto& peer : bad) {
    EXPECT_NE(none.error().detail.find(peer.id), std::string::npos) << none.error().detail;
  }
  EXPECT_NE(none.error().detail.find("arrives damaged"), std::string::npos) << none.error().detail;
  EXPECT_FALSE(half_kept());
  EXPECT_FALSE(fs::exists(state()));
  EXPECT_FALSE(fs::exists(directory_.path() / "escaped"));
  auto more = std::vector<NodeRecord>{peer_at("gone", free_port())};
  more.push_back(peer_at("good", node_->port()));
  EXPECT_EQ(restore(more).value().peer, "good");
}

// Of the log's catalog the node has the item's record and no more.
TEST_F(PeerRestoreTest, WhatEndsBeforeTheLogStartsIsNotCopied) {
  const auto end = node_->log().end(kCatalogPartition);
  const auto refused = restore({peer_at("behind", node_->port())}, {{kCatalogPartition, end + 1}});
  EXPECT_NE(refused.error().detail.find("ends before the log starts"), std::string::npos);
  EXPECT_TRUE(restore({peer_at("good", node_->port())}, {{kCatalogPartition, end}}).has_value());
}

TEST_F(PeerRestoreTest, SaysThatNobodyIsThere) {
  EXPECT_NE(restore({}).error().detail.find("no other node is ready"), std::string::npos);
}

}  // namespace
}  // namespace millrace::app
