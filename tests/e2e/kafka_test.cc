// The built server on a real broker: what clients see while Kafka is away, and events that come by
// its public topic, written by kcat.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr std::chrono::seconds kPatience{60};

class KafkaServer : public testing::Test {
 protected:
  void SetUp() override {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    prefix_ = KafkaBroker::shared().unique_prefix();
  }
  ServerProcess::Options options() const {
    return {.binary = MILLRACE_BINARY,
            .data = (directory_.path() / "data").string(),
            .args = {"--log", "kafka", "--kafka-bootstrap", KafkaBroker::shared().bootstrap(),
                     "--kafka-prefix", prefix_, "--partitions", "4"},
            .environment = {}};
  }
  static std::string event(const std::string& id, const std::string& user,
                           const std::string& type = "like") {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"/test","type":")" + type +
           R"(","data":{"user":")" + user + R"(","item":"video:1"}})";
  }
  static HttpReply post(HttpClient& http, const std::string& body) {
    return http.post("/v1/events?wait=applied", body, {{"Content-Type", "application/json"}});
  }
  static std::string events_of(HttpClient& http, const std::string& user) {
    const auto reply = http.get("/v1/users/" + user + "/profile");
    return reply.status == 200 ? std::to_string(static_cast<int>(Answer(reply)["events"].number()))
                               : "status " + std::to_string(reply.status);
  }
  static ::testing::AssertionResult has_events(HttpClient& http, const std::string& user,
                                               int count) {
    std::string is;
    const bool reached = eventually(
        [&] { return (is = events_of(http, user)) == std::to_string(count); }, kPatience);
    if (reached) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << user << " has " << is << ", not " << count;
  }
  void kcat(const std::vector<std::string>& args, const std::string& lines) const {
    std::vector<std::string> all = {
        "kcat", "-P", "-b", KafkaBroker::shared().bootstrap(), "-t", prefix_ + "events"};
    all.insert(all.end(), args.begin(), args.end());
    const auto done = run_command(all, {}, lines);
    if (done.exit_code != 0) throw std::runtime_error(done.err);
  }
  // What is in a topic: headers and value of each record, a line each.
  std::string topic(const std::string& name) const {
    return run_command({"kcat", "-C", "-e", "-q", "-o", "beginning", "-f", "%h|%s\n", "-b",
                        KafkaBroker::shared().bootstrap(), "-t", prefix_ + name})
        .out;
  }

  TempDir directory_;
  std::string prefix_;
};

TEST_F(KafkaServer, AWriteWithoutABrokerIsAnsweredInTimeAndCountsOnce) {
  ServerProcess server(options());
  HttpClient http(server.port(), std::chrono::seconds(30));
  ASSERT_EQ(post(http, event("a", "ann")).status, 200);
  KafkaBroker::shared().freeze();
  const auto during = post(http, event("b", "ann"));
  const bool refused = eventually(
      [&] { return post(http, event("c", "ann")).body.find("has not") != std::string::npos; },
      kPatience);
  const auto read = http.get("/v1/users/ann/history");
  KafkaBroker::shared().thaw();
  EXPECT_EQ(during.status, 503) << during.body;
  EXPECT_FALSE(during.header("retry-after").empty());
  EXPECT_NE(during.body.find("outcome unknown"), std::string::npos) << during.body;
  EXPECT_TRUE(refused);
  EXPECT_EQ(read.status, 200);
  for (const auto* id : {"b", "c"}) {
    EXPECT_TRUE(eventually([&] { return post(http, event(id, "ann")).status == 200; }, kPatience));
  }
  EXPECT_EQ(events_of(http, "ann"), "3");
}

TEST_F(KafkaServer, AnotherLogThanTheOneAppliedIsRefused) {
  {
    ServerProcess server(options());
    HttpClient http(server.port());
    ASSERT_EQ(post(http, event("a", "ann")).status, 200);
    EXPECT_EQ(server.terminate(), 0) << server.errors();
  }
  auto other = options();
  other.args[5] = KafkaBroker::shared().unique_prefix();
  try {
    ServerProcess server(other);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("truncated or replaced"), std::string::npos)
        << error.what();
  }
}

class KafkaEvents : public KafkaServer {
 protected:
  void SetUp() override {
    KafkaServer::SetUp();
    if (IsSkipped()) return;
    if (!program_exists("kcat")) GTEST_SKIP() << "no kcat: apt-get install kcat";
  }
};

TEST_F(KafkaEvents, AreTakenInEveryModeAndOnce) {
  ServerProcess server(options());
  HttpClient http(server.port());
  kcat({"-k", "ann", "-H", "content-type=application/cloudevents+json"}, event("s", "ann"));
  kcat({"-k", "ann"}, event("plain", "ann") + "\n" + event("plain", "ann"));
  kcat({"-k", "ann", "-H", "ce_specversion=1.0", "-H", "ce_type=view", "-H", "ce_id=100%", "-H",
        "ce_source=/bin", "-H", "content-type=application/json"},
       R"({"user":"ann","item":"video:1"})");
  ASSERT_TRUE(has_events(http, "ann", 3));
  // A copy that comes by HTTP, and a copy by Kafka of what came by HTTP.
  EXPECT_EQ(Answer(post(http, event("s", "ann")))["duplicates"].number(), 1);
  EXPECT_EQ(Answer(post(http, event("http", "ann")))["accepted"].number(), 1);
  kcat({"-k", "ann"}, event("http", "ann"));
  kcat({"-k", "bob"}, event("end", "bob"));
  ASSERT_TRUE(has_events(http, "bob", 1));
  EXPECT_EQ(events_of(http, "ann"), "4");
}

TEST_F(KafkaEvents, PoisonGoesToTheDeadLettersAndTheOthersGoOn) {
  ServerProcess server(options());
  HttpClient http(server.port());
  kcat({"-k", "ann", "-H", "trace=7"}, "no event");
  kcat({"-k", "ann"}, event("x", "ann", "no_such_type"));
  kcat({"-k", "ann"}, event("good", "ann"));
  ASSERT_TRUE(has_events(http, "ann", 1));
  std::string letters;
  ASSERT_TRUE(eventually(
      [&] {
        letters = topic("events.dead-letters");
        return std::count(letters.begin(), letters.end(), '\n') == 2;
      },
      kPatience))
      << letters;
  for (const auto* part : {"millrace_reason=", "millrace_topic=", "millrace_partition=",
                           "millrace_offset=0", "trace=7|no event", "no_such_type"}) {
    EXPECT_NE(letters.find(part), std::string::npos) << part << " in " << letters;
  }
}

// Without ids a record's place is its id, so what is read again after a crash counts once.
TEST_F(KafkaEvents, ReadAgainAfterKillsCountOnce) {
  constexpr int kRounds = 5, kEach = 2'000;
  for (int round = 0; round < kRounds; ++round) {
    ServerProcess server(options());
    std::string lines;
    for (int i = 0; i < kEach; ++i) {
      lines += R"({"type":"view","data":{"user":"u)" + std::to_string(i % 10) +
               R"(","item":"video:1"}})" + "\n";
    }
    kcat({}, lines);
    HttpClient http(server.port());
    // Somewhere in the middle of what was just written.
    eventually([&] { return std::atoi(events_of(http, "u0").c_str()) > round * kEach / 10; },
               std::chrono::milliseconds(500));
    server.kill_now();
  }
  ServerProcess server(options());
  HttpClient http(server.port());
  for (int user = 0; user < 10; ++user) {
    ASSERT_TRUE(has_events(http, "u" + std::to_string(user), kRounds * kEach / 10));
  }
}

}  // namespace
}  // namespace millrace
