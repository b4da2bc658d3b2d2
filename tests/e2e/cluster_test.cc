// Three built servers on one real broker: what a client sees who talks to one and then to another,
// and nodes that come and go.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/test_cluster.h"

namespace millrace {
namespace {

constexpr std::chrono::seconds kPatience{60};
const HttpClient::Headers kJson = {{"Content-Type", "application/json"}};

class KafkaCluster : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  static HttpClient client(TestCluster& cluster, int node) {
    return HttpClient(cluster.port(node), std::chrono::seconds(30));
  }
  static std::string event(const std::string& id, const std::string& user) {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"/test","type":"view","data":)" +
           R"({"user":")" + user + R"(","item":"video:)" + std::to_string(id.size()) + R"("}})";
  }
  // `count` events of 100 users, each with an id of its own.
  static void load(TestCluster& cluster, int node, int count, const std::string& name) {
    constexpr int kBatch = 2'000;
    auto http = client(cluster, node);
    for (int first = 0; first < count; first += kBatch) {
      std::string body;
      for (int i = first; i < std::min(count, first + kBatch); ++i) {
        body += event(name + std::to_string(i), "u" + std::to_string(i % 100)) + "\n";
      }
      const auto reply = http.post("/v1/events", body, {{"Content-Type", "application/x-ndjson"}});
      ASSERT_EQ(reply.status, 200) << reply.body;
    }
  }
  static ::testing::AssertionResult equal(TestCluster& cluster) {
    std::string why;
    if (eventually([&] { return (why = cluster.digests_differ()).empty(); }, kPatience)) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << why;
  }
  // A line of /metrics; NaN where there is none.
  static double metric(HttpClient& http, const std::string& name) {
    std::istringstream lines(http.get("/metrics").body);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) return std::stod(line.substr(name.size()));
    }
    return std::nan("");
  }
  static std::size_t nodes_seen(HttpClient& http, const std::string& state) {
    std::size_t count = 0;
    for (const auto& node : Answer(http.get("/v1/admin/cluster"))["nodes"].elements()) {
      count += node["state"].text() == state ? 1 : 0;
    }
    return count;
  }
};

// ---- what one node did, another knows in the next request

class KafkaAccounts : public KafkaCluster {
 protected:
  static std::vector<std::string> args() {
    return {"--admin-token", "the one that all nodes share", "--accounts-logins-per-address", "0"};
  }
  static inline const HttpClient::Headers kAdmin = {
      {"Authorization", "Bearer the one that all nodes share"},
      {"Content-Type", "application/json"}};
  static std::string person(const std::string& name, const std::string& email) {
    return R"({"username":")" + name + R"(","email":")" + email +
           R"(","password":"a long sentence"})";
  }
  // All nodes are asked for the same address at once; how many said yes.
  static int winners(TestCluster& cluster, int round) {
    std::atomic<int> won{0}, refused{0};
    std::vector<std::jthread> threads;
    const int askers = std::max(2, cluster.size());
    for (int i = 0; i < askers; ++i) {
      threads.emplace_back([&, i] {
        auto http = client(cluster, i % cluster.size());
        const auto name = "r" + std::to_string(round) + "-" + std::to_string(i);
        const auto email = "r" + std::to_string(round) + "@example.org";
        const auto reply = http.post("/api/users/", person(name, email), kJson);
        (reply.status == 201 ? won : reply.status == 409 ? refused : won) += 1;
      });
    }
    threads.clear();
    return won + refused == askers ? won.load() : -1;
  }
  static void one_wins(int nodes, int rounds) {
    TestCluster cluster(MILLRACE_BINARY, nodes, args());
    for (int round = 0; round < rounds; ++round) ASSERT_EQ(winners(cluster, round), 1) << round;
    for (int i = 0; i < nodes; ++i) {
      auto http = client(cluster, i);
      const auto listed = [&] {
        return static_cast<int>(Answer(http.get("/api/users/", kAdmin))["count"].number());
      };
      EXPECT_TRUE(eventually([&] { return listed() == rounds + 1; })) << listed();
    }
  }
};

TEST_F(KafkaAccounts, SignUpOnOneNodeLogInOnAnotherUseTheTokenOnAThird) {
  TestCluster cluster(MILLRACE_BINARY, 3, args());
  for (int i = 0; i < 15; ++i) {
    auto first = client(cluster, i % 3), second = client(cluster, (i + 1) % 3),
         third = client(cluster, (i + 2) % 3);
    const auto name = "ann" + std::to_string(i);
    const auto made = first.post("/api/users/", person(name, name + "@example.org"), kJson);
    ASSERT_EQ(made.status, 201) << made.body;
    const auto in = second.post(
        "/api/token/", R"({"username":")" + name + R"(","password":"a long sentence"})", kJson);
    ASSERT_EQ(in.status, 200) << i << " " << in.body;
    const auto id = std::to_string(static_cast<int>(Answer(made.body)["id"].number()));
    const auto self = third.get("/api/users/" + id + "/",
                                {{"Authorization", "Bearer " + Answer(in)["token"].text()}});
    ASSERT_EQ(self.status, 200) << i << " " << self.body;
    const auto item = "/v1/items/video:" + std::to_string(i);
    ASSERT_EQ(first.put(item, R"({"title":"New"})", kAdmin).status, 201);
    ASSERT_EQ(second.get(item).status, 200) << i;
    ASSERT_EQ(third.get(item).status, 200) << i;
  }
  auto http = client(cluster, 0);
  EXPECT_EQ(http.get("/v1/items", {{"Authorization", "Bearer nobody's"}}).status, 401);
  EXPECT_EQ(http.get("/v1/items/video:none").status, 404);
}

TEST_F(KafkaAccounts, OfThreeNodesAskedForTheSameAddressOneSaysYes) { one_wins(3, 10); }
TEST_F(KafkaAccounts, OfThreeNodesAskedForTheSameAddressOneSaysYesLong) { one_wins(3, 200); }
TEST_F(KafkaAccounts, OneNodeAskedTwiceForTheSameAddressSaysYesOnceLong) { one_wins(1, 200); }

TEST_F(KafkaCluster, AWriteIsReadOnAnotherNodeThatIsGivenItsPosition) {
  TestCluster cluster(MILLRACE_BINARY, 2);
  auto zero = client(cluster, 0), one = client(cluster, 1);
  for (int i = 1; i <= 100; ++i) {
    auto& first = i % 2 == 0 ? zero : one;
    auto& second = i % 2 == 0 ? one : zero;
    const auto wrote = first.post("/v1/events", event("e" + std::to_string(i), "ann"), kJson);
    ASSERT_EQ(wrote.status, 200) << wrote.body;
    const auto read = second.get("/v1/users/ann/profile",
                                 {{"X-Millrace-Position", wrote.header("x-millrace-position")}});
    ASSERT_EQ(Answer(read)["events"].number(), i);
  }
}

// ---- who is there

TEST_F(KafkaCluster, NodesHearOfEachOtherAndForgetTheLost) {
  TestCluster cluster(MILLRACE_BINARY, 3, {"--cluster-leave-grace", "3s"});
  auto http = client(cluster, 0);
  ASSERT_TRUE(eventually([&] { return nodes_seen(http, "ready") == 3; }));
  const auto metrics = http.get("/metrics").body;
  for (const auto* name : {"kafka_consumergroup_lag{", "kafka_topic_partition_current_offset{",
                           "kafka_consumergroup_current_offset{", "rebalances_total",
                           "restored_bytes", "staleness_seconds"}) {
    EXPECT_NE(metrics.find(name), std::string::npos) << name;
  }
  if (program_exists("promtool")) {
    const auto checked = run_command({"promtool", "check", "metrics"}, {}, metrics);
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  }
  auto leaver = client(cluster, 1);
  std::jthread leaving([&] { EXPECT_EQ(cluster.leave(1), 0); });
  EXPECT_TRUE(eventually([&] { return nodes_seen(http, "leaving") == 1; }));
  EXPECT_NE(leaver.get("/ready/").body.find("leaving"), std::string::npos);
  leaving.join();
  EXPECT_TRUE(eventually([&] { return nodes_seen(http, "ready") == 2; }));
  cluster.kill(2);
  EXPECT_TRUE(eventually([&] { return nodes_seen(http, "ready") == 1; }, std::chrono::seconds(20)));
  cluster.start(1);
  cluster.start(2);
  EXPECT_TRUE(eventually([&] { return nodes_seen(http, "ready") == 3; }));
}

// A member that leaves is not waited for: the others take its share of the public topic at once.
TEST_F(KafkaCluster, AcceptanceGoesOnWhenANodeLeaves) {
  if (!program_exists("kcat")) GTEST_SKIP() << "no kcat: apt-get install kcat";
  TestCluster cluster(MILLRACE_BINARY, 2);
  auto http = client(cluster, 0);
  const auto send = [&](int first, int count) {
    std::string lines;
    for (int i = first; i < first + count; ++i)
      lines += event("k" + std::to_string(i), "ann") + "\n";
    const auto sent = run_command({"kcat", "-P", "-b", KafkaBroker::shared().bootstrap(), "-t",
                                   cluster.prefix() + "events", "-X", "partitioner=random"},
                                  {}, lines);
    ASSERT_EQ(sent.exit_code, 0) << sent.err;
  };
  const auto arrived = [&] {
    const auto reply = http.get("/v1/users/ann/profile");
    return reply.status == 200 ? static_cast<int>(Answer(reply)["events"].number()) : 0;
  };
  auto second = client(cluster, 1);
  const auto share = R"(consumergroup=")" + cluster.prefix() + R"(millrace")";
  send(0, 200);
  ASSERT_TRUE(eventually(
      [&] { return second.get("/metrics").body.find(share) != std::string::npos; }, kPatience))
      << "the second node has no share";
  ASSERT_TRUE(eventually([&] { return arrived() == 200; }, kPatience)) << arrived();
  ASSERT_EQ(cluster.leave(1), 0);
  send(200, 200);
  EXPECT_TRUE(eventually([&] { return arrived() == 400; }, std::chrono::seconds(15)))
      << arrived() << ": is the share of the one that left waited for?";
}

// ---- answers that may be old

TEST_F(KafkaCluster, AnswersSayThatTheyMayBeStaleUntilCaughtUp) {
  TestCluster cluster(MILLRACE_BINARY, 1);
  auto http = client(cluster, 0);
  ASSERT_EQ(http.post("/v1/events?wait=applied", event("a", "ann"), kJson).status, 200);
  ASSERT_EQ(http.get("/v1/users/ann/profile").header("x-millrace-stale"), "");
  KafkaBroker::shared().freeze();
  const bool marked = eventually(
      [&] { return !http.get("/v1/users/ann/profile").header("x-millrace-stale").empty(); });
  const auto read = http.get("/v1/users/ann/profile");
  const auto unknown = http.get("/v1/items/video:none");
  KafkaBroker::shared().thaw();
  EXPECT_TRUE(marked);
  EXPECT_EQ(read.status, 200);
  EXPECT_GE(std::atoi(read.header("x-millrace-stale").c_str()), 1'000);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_FALSE(unknown.header("x-millrace-stale").empty());
  EXPECT_TRUE(eventually(
      [&] { return http.get("/v1/users/ann/profile").header("x-millrace-stale").empty(); },
      kPatience));
}

// ---- nodes that begin with nothing

class KafkaNewNode : public KafkaCluster {
 protected:
  static void join(int nodes, int events) {
    TestCluster cluster(MILLRACE_BINARY, 1);
    load(cluster, 0, events, "first");
    std::jthread writer([&](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); ++i)
        load(cluster, 0, 500, "more" + std::to_string(i) + "-");
    });
    double megabytes = 0, seconds = 0;
    const int joiner = cluster.add();
    for (int i = 0; i < nodes; ++i) {
      if (i > 0) {
        cluster.kill(joiner);
        cluster.wipe(joiner);
        cluster.start(joiner);
      }
      auto http = client(cluster, joiner);
      EXPECT_TRUE(eventually([&] { return http.get("/ready/").status == 200; }, kPatience));
      const auto bytes = metric(http, "restored_bytes");
      ASSERT_GT(bytes, 0) << cluster.node(joiner).errors();
      megabytes += bytes / 1e6;
      seconds += metric(http, "restore_seconds");
      if (i % 10 == 0) std::cout << "new node " << i + 1 << " of " << nodes << std::endl;
    }
    writer = {};
    EXPECT_TRUE(equal(cluster));
    std::cout << nodes << " new nodes from a peer's checkpoint: " << megabytes / nodes << " MB in "
              << seconds / nodes << " s each, " << megabytes / seconds << " MB/s\n";
    cluster.kill(joiner);
    cluster.wipe(joiner);
    replay(cluster, joiner);
  }
  // The same node from the log alone.
  static void replay(TestCluster& cluster, int joiner) {
    const auto begun = std::chrono::steady_clock::now();
    cluster.start(joiner, {"--restore-from-peers", "never"});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    auto http = client(cluster, joiner);
    EXPECT_EQ(metric(http, "restored_bytes"), 0);
    EXPECT_TRUE(equal(cluster));
    std::cout << "full replay of the log, from start to ready: " << took.count() << " s\n";
  }
};

TEST_F(KafkaNewNode, StartsFromAPeersCheckpointUnderLoad) { join(3, 20'000); }
TEST_F(KafkaNewNode, StartsFromAPeersCheckpointUnderLoadLong) { join(100, 400'000); }

TEST_F(KafkaNewNode, ANodeThatTheLogWasTrimmedPastStartsFromAPeerOrIsRefused) {
  TestCluster cluster(MILLRACE_BINARY, 2);
  load(cluster, 0, 200, "early");
  ASSERT_TRUE(equal(cluster));
  ASSERT_EQ(cluster.leave(1), 0);
  load(cluster, 0, 5'000, "late");
  auto http = client(cluster, 0);
  for (const auto& partition : Answer(http.get("/v1/admin/status"))["partitions"].elements()) {
    const auto name = partition["partition"].text();
    if (name == "c") continue;
    KafkaBroker::shared().delete_records_before(
        cluster.prefix() + "interactions", std::atoi(name.c_str() + 1),
        static_cast<std::int64_t>(partition["end"].number()));
  }
  cluster.start(1);
  auto second = client(cluster, 1);
  EXPECT_GT(metric(second, "restored_bytes"), 0) << cluster.node(1).errors();
  EXPECT_TRUE(equal(cluster));
  // Without anybody to ask there is nothing to start from.
  cluster.kill(0);
  cluster.kill(1);
  cluster.wipe(1);
  try {
    cluster.start(1);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("the log starts at"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace millrace
