// A client posts events with unique ids while the server is killed with SIGKILL, at random moments
// and at named crash points. After each restart the client sends again what was not acknowledged,
// and the whole state must equal an oracle of everything sent: nothing lost, nothing counted twice.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/state_check.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr int kItems = 40;
constexpr int kUsersPerClient = 8;
constexpr int kClients = 3;

// Where the server kills itself when asked to: every named point on an event's way.
const std::vector<std::string> kPoints = {
    "log_before_write",   "log_half_group",      "log_after_write",    "log_after_sync",
    "log_roll_created",   "log_roll_written",    "log_roll_synced",    "apply_before_publish",
    "commit_frozen",      "commit_before_write", "commit_after_write", "catalog_before_publish",
    "carry_before_append"};

// Sends the events of its own users, in order, one batch at a time.
class Client {
 public:
  Client(int number, unsigned seed) : number_(number), random_(seed) {}

  // Sends batches until the server goes away or `stop`. A batch not acknowledged stays pending.
  void run(std::uint16_t port, const std::atomic<bool>& stop) {
    try {
      HttpClient http(port, std::chrono::seconds(20));
      while (!stop) send_one(http);
    } catch (const std::runtime_error&) {
      // Killed: what was in flight is sent again after the restart.
    }
  }

  // Sends again what is in doubt, until it is acknowledged and applied.
  void settle(std::uint16_t port) {
    if (pending_.empty()) return;
    HttpClient http(port, std::chrono::seconds(20));
    post(http, true);
  }

  const std::deque<OracleEvent>& acknowledged() const { return acknowledged_; }

 private:
  void send_one(HttpClient& http) {
    if (pending_.empty()) make_batch();
    post(http, random_() % 8 == 0);
  }

  void make_batch() {
    static constexpr const char* kTypes[] = {
        "view", "view", "view",   "like",  "unlike",  "save",    "unsave",     "share",
        "play", "rate", "unrate", "watch", "unwatch", "dislike", "impression", "purchase"};
    const auto size = 1 + random_() % 40;
    for (unsigned i = 0; i < size; ++i) {
      OracleEvent event;
      event.id = "c" + std::to_string(number_) + "-" + std::to_string(next_++);
      event.user =
          "u" + std::to_string(number_) + "-" + std::to_string(random_() % kUsersPerClient);
      event.item = "video:" + std::to_string(random_() % kItems);
      event.type = kTypes[random_() % std::size(kTypes)];
      event.value = 0.5 * static_cast<double>(1 + random_() % 10);
      pending_.push_back(std::move(event));
    }
  }

  void post(HttpClient& http, bool wait) {
    std::string body;
    for (const auto& event : pending_) body += event.json() + "\n";
    const auto reply = http.post(wait ? "/v1/events?wait=applied" : "/v1/events", body,
                                 {{"Content-Type", "application/x-ndjson"}});
    if (reply.status == 503) return;
    if (reply.status != 200) throw std::logic_error("POST /v1/events: " + reply.body);
    acknowledged_.insert(acknowledged_.end(), pending_.begin(), pending_.end());
    pending_.clear();
  }

  int number_;
  std::mt19937 random_;
  std::uint64_t next_ = 0;
  std::vector<OracleEvent> pending_;
  std::deque<OracleEvent> acknowledged_;
};

class Campaign {
 public:
  explicit Campaign(unsigned seed) : random_(seed) {
    for (int i = 0; i < kClients; ++i)
      clients_.emplace_back(i, seed * 31 + static_cast<unsigned>(i));
  }

  void put_items(std::uint16_t port) {
    HttpClient http(port);
    for (int i = 0; i < kItems; ++i) {
      const auto id = "video:" + std::to_string(i);
      const auto reply = http.put("/v1/items/" + id, R"({"title":"Video","categories":["a"]})",
                                  {{"Content-Type", "application/json"}});
      ASSERT_TRUE(reply.status == 200 || reply.status == 201) << reply.body;
    }
  }

  // One life of the server: traffic, death, restart, comparison.
  void round() {
    ServerProcess::Options options = server_options();
    if (random_() % 2 == 0) {
      const auto& point = kPoints[random_() % kPoints.size()];
      options.environment = {
          {"MILLRACE_CRASH_AT", point + ":" + std::to_string(1 + random_() % 40)}};
    }
    {
      ServerProcess server(options, true);
      if (server.port() != 0) traffic(server);
      server.kill_now();
    }
    ServerProcess server(server_options());
    for (auto& client : clients_) client.settle(server.port());
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const auto& acknowledged = clients_[i].acknowledged();
      for (; told_[i] < acknowledged.size(); ++told_[i]) oracle_.apply(acknowledged[told_[i]]);
    }
    HttpClient http(server.port());
    wait_applied(http);
    expect_items(http, oracle_);
    expect_histories(http, oracle_);
    server.kill_now();
  }

  std::uint64_t events() const { return told_[0] + told_[1] + told_[2]; }
  ServerProcess::Options server_options() const {
    return {.binary = MILLRACE_BINARY,
            .data = (directory_.path() / "data").string(),
            .args = {"--log-level", "warn", "--log-segment", "1MiB"},
            .environment = {}};
  }

 private:
  void traffic(ServerProcess& server) {
    std::atomic<bool> stop{false};
    std::vector<std::jthread> threads;
    for (auto& client : clients_) {
      threads.emplace_back([&client, &server, &stop] { client.run(server.port(), stop); });
    }
    const int life_ms = 5 + static_cast<int>(random_() % 250);
    // Not a wait for something to happen: the length of this life is what the seed draws.
    ::poll(nullptr, 0, life_ms);
    server.kill_now();
    stop = true;
  }

  TempDir directory_;
  std::mt19937 random_;
  std::deque<Client> clients_;
  std::array<std::size_t, kClients> told_{};
  Oracle oracle_;
};

TEST(Kill, NothingIsLostAndNothingIsCountedTwice) {
  const char* const asked = std::getenv("MILLRACE_KILLS");
  const char* const seeded = std::getenv("MILLRACE_SEED");
  const bool long_run = std::getenv("MILLRACE_LONG") != nullptr;
  const int kills = asked != nullptr ? std::atoi(asked) : long_run ? 1000 : 200;
  const unsigned seed = seeded != nullptr ? static_cast<unsigned>(std::atoi(seeded)) : 1;
  Campaign campaign(seed);
  {
    ServerProcess server(campaign.server_options());
    campaign.put_items(server.port());
    server.kill_now();
  }
  for (int kill = 1; kill <= kills; ++kill) {
    campaign.round();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "after kill " << kill << " of seed " << seed;
    if (kill % 50 == 0) {
      std::cout << kill << " of " << kills << " kills, " << campaign.events()
                << " events: 0 lost, 0 twice" << std::endl;
    }
  }
}

}  // namespace
}  // namespace millrace
