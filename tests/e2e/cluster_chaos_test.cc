// Three built servers on one real broker, writers and readers over all of them, and whatever can
// happen to a node or to the broker in seeded random order. Afterwards every acknowledged event is
// in exactly once, on every node alike; no client missed its own write; reads never failed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/eventually.h"
#include "tests/support/oracle.h"
#include "tests/support/state_check.h"
#include "tests/support/test_cluster.h"

namespace millrace {
namespace {

constexpr int kNodes = 3;
constexpr int kItems = 40;
constexpr int kWriters = 3;
constexpr std::chrono::seconds kPatience{120};

int number_from(const char* variable, int fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : std::atoi(text);
}

// Where each node listens, and whether it is left alone just now.
class Nodes {
 public:
  struct Seen {
    int node = 0;
    std::uint16_t port = 0;
    int changes = 0;
  };
  void set(int node, std::uint16_t port, bool living) {
    const std::lock_guard lock(mutex_);
    auto& entry = nodes_[static_cast<std::size_t>(node)];
    entry = {node, port, entry.changes + 1};
    living_[static_cast<std::size_t>(node)] = living;
  }
  // One of those that live.
  Seen pick(std::mt19937& random) const {
    const std::lock_guard lock(mutex_);
    for (;;) {
      const auto node = random() % kNodes;
      if (living_[node]) return nodes_[node];
    }
  }
  // Nothing has happened to it since.
  bool undisturbed(const Seen& seen) const {
    const std::lock_guard lock(mutex_);
    const auto node = static_cast<std::size_t>(seen.node);
    return living_[node] && nodes_[node].changes == seen.changes;
  }

 private:
  mutable std::mutex mutex_;
  std::array<Seen, kNodes> nodes_{};
  std::array<bool, kNodes> living_{};
};

// What went wrong, and what was seen.
struct Findings {
  void fail(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (failures.size() < 20) failures.push_back(what);
  }
  std::mutex mutex;
  std::vector<std::string> failures;
  std::vector<int> stale_ms;       // of each read while a broker was there
  std::vector<int> stale_away_ms;  // and while it was restarting
  std::atomic<bool> broker_away{false};
  std::atomic<std::uint64_t> acknowledged{0}, read_back{0}, reads{0};
};

// Writes the events of its own users, in order, each to some node, again to another until it is
// acknowledged; and reads some of them back at once from yet another.
class Writer {
 public:
  Writer(int number, int users, unsigned seed) : number_(number), users_(users), random_(seed) {}

  void run(const Nodes& nodes, const std::stop_token& stop, Findings& findings) {
    while (!stop.stop_requested()) {
      make_batch();
      while (!post(nodes)) {
      }  // what is begun is settled before the end
      for (const auto& event : batch_) ++counts_[event.user];
      told_.insert(told_.end(), batch_.begin(), batch_.end());
      findings.acknowledged += batch_.size();
      if (random_() % 4 == 0) read_back(nodes, findings);
    }
  }

  const std::vector<OracleEvent>& told() const { return told_; }

 private:
  void make_batch() {
    static constexpr const char* kTypes[] = {"view", "view", "like",  "unlike", "save",
                                             "play", "rate", "watch", "share",  "dislike"};
    batch_.clear();
    const auto size = 1 + random_() % 20;
    for (unsigned i = 0; i < size; ++i) {
      OracleEvent event;
      event.id = "w" + std::to_string(number_) + "-" + std::to_string(next_++);
      event.user = "u" + std::to_string(number_) + "-" +
                   std::to_string(random_() % static_cast<unsigned>(users_));
      event.item = "video:" + std::to_string(random_() % kItems);
      event.type = kTypes[random_() % std::size(kTypes)];
      event.value = 0.5 * static_cast<double>(1 + random_() % 10);
      batch_.push_back(std::move(event));
    }
  }
  bool post(const Nodes& nodes) {
    std::string body;
    for (const auto& event : batch_) body += event.json() + "\n";
    try {
      HttpClient http(nodes.pick(random_).port, std::chrono::seconds(8));
      const auto reply = http.post("/v1/events", body, {{"Content-Type", "application/x-ndjson"}});
      if (reply.status != 200) return false;
      position_ = reply.header("x-millrace-position");
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  void read_back(const Nodes& nodes, Findings& findings) {
    const auto& user = batch_.back().user;
    const auto node = nodes.pick(random_);
    try {
      HttpClient http(node.port, std::chrono::seconds(8));
      const auto reply =
          http.get("/v1/users/" + user + "/profile", {{"X-Millrace-Position", position_}});
      if (reply.status != 200) return;  // not yet, which it may say
      const auto seen = static_cast<int>(Answer(reply)["events"].number());
      if (seen != counts_[user]) {
        findings.fail(user + " wrote " + std::to_string(counts_[user]) + " and reads " +
                      std::to_string(seen) + " on node " + std::to_string(node.node));
      }
      ++findings.read_back;
    } catch (const std::runtime_error&) {
      // Something happened to the node.
    }
  }

  int number_, users_;
  std::mt19937 random_;
  std::uint64_t next_ = 0;
  std::vector<OracleEvent> batch_, told_;
  std::string position_;
  std::map<std::string, int> counts_;
};

// Reads through nodes that live, and takes note of every failure that nothing explains.
void read_on(const Nodes& nodes, const std::stop_token& stop, Findings& findings, unsigned seed) {
  const std::vector<std::string> paths = {"/v1/lists/popular", "/v1/items/video:1", "/v1/feed/u0-0",
                                          "/v1/recommendations/u1-0"};
  std::mt19937 random(seed);
  std::vector<int> stale, away;
  while (!stop.stop_requested()) {
    const auto node = nodes.pick(random);
    const auto& path = paths[random() % paths.size()];
    std::string why;
    try {
      HttpClient http(node.port, std::chrono::seconds(8));
      const auto reply = http.get(path);
      if (reply.status != 200) why = std::to_string(reply.status) + " " + reply.body;
      (findings.broker_away ? away : stale)
          .push_back(std::atoi(reply.header("x-millrace-stale").c_str()));
      ++findings.reads;
    } catch (const std::runtime_error& error) {
      why = error.what();
    }
    if (!why.empty() && nodes.undisturbed(node)) {
      findings.fail("node " + std::to_string(node.node) + " " + path + ": " + why);
    }
  }
  const std::lock_guard lock(findings.mutex);
  findings.stale_ms.insert(findings.stale_ms.end(), stale.begin(), stale.end());
  findings.stale_away_ms.insert(findings.stale_away_ms.end(), away.begin(), away.end());
}

class KafkaChaos : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }

  void campaign(int rounds, int users) {
    const auto seed = static_cast<unsigned>(number_from("MILLRACE_SEED", 1));
    TestCluster cluster(MILLRACE_BINARY, kNodes);
    for (int i = 0; i < kNodes; ++i) nodes_.set(i, cluster.port(i), true);
    put_items(cluster.port(0));
    for (int i = 0; i < kNodes; ++i) {
      HttpClient http(cluster.port(i), std::chrono::seconds(30));
      ASSERT_EQ(http.get("/v1/items/video:" + std::to_string(kItems - 1)).status, 200);
    }
    std::vector<Writer> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back(i, users / kWriters, seed * 31 + static_cast<unsigned>(i));
    }
    {
      std::vector<std::jthread> threads;
      for (auto& writer : writers) {
        threads.emplace_back(
            [&](const std::stop_token& stop) { writer.run(nodes_, stop, findings_); });
      }
      threads.emplace_back(
          [&](const std::stop_token& stop) { read_on(nodes_, stop, findings_, seed + 1000); });
      std::mt19937 random(seed);
      for (int round = 1; round <= rounds && findings_.failures.empty(); ++round) {
        happen(cluster, random, round);
      }
      for (auto& thread : threads) thread.request_stop();
    }
    EXPECT_TRUE(findings_.failures.empty()) << findings_.failures.front();
    compare(cluster, writers);
    report(seed);
  }

 private:
  static void put_items(std::uint16_t port) {
    HttpClient http(port);
    for (int i = 0; i < kItems; ++i) {
      const auto reply = http.put("/v1/items/video:" + std::to_string(i),
                                  R"({"title":"Video","categories":["a"]})",
                                  {{"Content-Type", "application/json"}});
      ASSERT_EQ(reply.status, 201) << reply.body;
    }
  }

  // Writing goes on: so many more are acknowledged.
  void let_pass(std::uint64_t events) {
    const auto until = findings_.acknowledged + events;
    EXPECT_TRUE(eventually([&] { return findings_.acknowledged >= until; }, kPatience))
        << "nothing is acknowledged any more";
  }

  void happen(TestCluster& cluster, std::mt19937& random, int round) {
    const int node = static_cast<int>(random() % kNodes);
    const auto what = random() % 5;
    const auto pass = 50 + random() % 500;
    static constexpr std::array<const char*, 5> kNames = {"SIGKILL", "SIGSTOP", "leaves",
                                                          "empty disk", "broker restarts"};
    std::cout << "round " << round << ": " << kNames[what] << " (node " << node << ")" << std::endl;
    if (what == 4) {
      findings_.broker_away = true;
      KafkaBroker::shared().restart();
      findings_.broker_away = false;
      return let_pass(pass);
    }
    nodes_.set(node, cluster.port(node), false);
    switch (what) {
      case 0: cluster.kill(node); break;
      case 1: cluster.freeze(node); break;
      case 2: EXPECT_EQ(cluster.leave(node), 0); break;
      default: cluster.kill(node); cluster.wipe(node);
    }
    let_pass(pass);
    what == 1 ? cluster.thaw(node) : cluster.start(node);
    nodes_.set(node, cluster.port(node), true);
    let_pass(pass);
  }

  static void compare(TestCluster& cluster, const std::vector<Writer>& writers) {
    std::string why;
    EXPECT_TRUE(eventually([&] { return (why = cluster.digests_differ()).empty(); }, kPatience))
        << why;
    Oracle oracle;
    for (const auto& writer : writers) {
      for (const auto& event : writer.told()) oracle.apply(event);
    }
    for (int i = 0; i < kNodes; ++i) {
      HttpClient http(cluster.port(i), std::chrono::seconds(30));
      expect_items(http, oracle);
      expect_histories(http, oracle);
    }
  }

  static std::string tail(std::vector<int> stale) {
    if (stale.empty()) return "none read";
    std::sort(stale.begin(), stale.end());
    return "p50 " + std::to_string(stale[stale.size() / 2]) + " ms, p99 " +
           std::to_string(stale[stale.size() * 99 / 100]) + " ms, longest " +
           std::to_string(stale.back()) + " ms";
  }

  void report(unsigned seed) {
    EXPECT_GT(findings_.reads, 0u);
    std::cout << "seed " << seed << ": " << findings_.acknowledged << " events acknowledged, "
              << findings_.read_back << " read back, " << findings_.reads
              << " other reads; staleness " << tail(findings_.stale_ms)
              << "; while the broker restarted " << tail(findings_.stale_away_ms) << "\n";
  }

  Nodes nodes_;
  Findings findings_;
};

TEST_F(KafkaChaos, NothingIsLostAndNothingIsCountedTwice) {
  campaign(number_from("MILLRACE_ROUNDS", 5), number_from("MILLRACE_USERS", 60));
}

TEST_F(KafkaChaos, NothingIsLostAndNothingIsCountedTwiceLong) {
  campaign(number_from("MILLRACE_ROUNDS", 100), number_from("MILLRACE_USERS", 20'000));
}

}  // namespace
}  // namespace millrace
