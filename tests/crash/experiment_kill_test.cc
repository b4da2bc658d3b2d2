// The server is killed with SIGKILL while people are shown an experiment's answers: no person ever
// changes the variant, and no answer that somebody got is missing in the counts.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "schemas/json_value.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr int kUsers = 40;
constexpr int kClients = 2;
constexpr const char* kExperiment =
    R"({"experiment_id":"kill","name":"Killed","variants":[)"
    R"({"name":"control","config":{"algorithm":"popular"}},)"
    R"({"name":"treatment","config":{"algorithm":"recent"}}],)"
    R"("start_date":"2020-01-01T00:00:00Z","end_date":"2199-12-31T00:00:00Z"})";

// What clients have been shown. Thread-safe.
class Shown {
 public:
  void asked() { ++asked_; }
  void add(const std::string& user, const std::string& variant) {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = variants_.emplace(user, variant);
    if (at->second != variant) ADD_FAILURE() << user << " was " << at->second << ", is " << variant;
    ++answers_[variant];
  }
  std::uint64_t answers(const std::string& variant) {
    const std::lock_guard lock(mutex_);
    return answers_[variant];
  }
  std::uint64_t people() {
    const std::lock_guard lock(mutex_);
    return variants_.size();
  }
  std::uint64_t asked_so_far() const { return asked_; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> variants_;
  std::map<std::string, std::uint64_t> answers_;
  std::atomic<std::uint64_t> asked_{0};
};

std::string variant_of(const std::string& body) {
  const auto json = parse_json(body);
  const Json* experiment = json ? json->find("experiment") : nullptr;
  const Json* variant = experiment == nullptr ? nullptr : experiment->find("variant");
  return variant == nullptr ? std::string() : variant->text;
}

// Asks until the server is gone.
void ask(std::uint16_t port, unsigned seed, Shown& shown) {
  std::mt19937 random(seed);
  try {
    HttpClient http(port);
    for (;;) {
      const auto user = "u" + std::to_string(random() % kUsers);
      shown.asked();
      const auto reply = http.get("/v1/recommendations/" + user);
      if (reply.status == 200) shown.add(user, variant_of(reply.body));
    }
  } catch (const std::runtime_error&) {
    // Killed.
  }
}

struct Counted {
  std::uint64_t people = 0, exposures = 0;
};
Counted counted(HttpClient& http, std::size_t variant) {
  const auto json = parse_json(http.get("/api/ab-test/kill/").body);
  const Json* results = json ? json->find("results") : nullptr;
  const Json* variants = results == nullptr ? nullptr : results->find("variants");
  if (variants == nullptr || variants->elements.size() != 2) return {};
  const auto& one = variants->elements[variant];
  return {std::stoull(one.find("people")->text), std::stoull(one.find("exposures")->text)};
}

TEST(ExperimentKill, NobodyChangesTheVariantAndNoAnswerIsLost) {
  const char* const asked = std::getenv("MILLRACE_KILLS");
  const bool long_run = std::getenv("MILLRACE_LONG") != nullptr;
  const int kills = asked != nullptr ? std::atoi(asked) : long_run ? 100 : 10;
  TempDir directory;
  const ServerProcess::Options options{.binary = MILLRACE_BINARY,
                                       .data = (directory.path() / "data").string(),
                                       .args = {"--log-level", "warn"},
                                       .environment = {}};
  {
    ServerProcess server(options);
    HttpClient http(server.port());
    const auto made =
        http.post("/api/ab-test/create/", kExperiment, {{"Content-Type", "application/json"}});
    ASSERT_EQ(made.status, 201) << made.body;
    http.put("/v1/items/video:1", R"({"title":"Video"})", {{"Content-Type", "application/json"}});
    server.kill_now();
  }
  Shown shown;
  std::mt19937 random(1);
  for (int kill = 0; kill < kills; ++kill) {
    ServerProcess server(options);
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&, seed = static_cast<unsigned>(kill * kClients + i)] {
        ask(server.port(), seed, shown);
      });
    }
    // The length of this life: so many answers more.
    const auto until = shown.asked_so_far() + 20 + random() % 300;
    const bool lived = eventually([&] { return shown.asked_so_far() >= until; });
    server.kill_now();  // the clients end with it
    ASSERT_TRUE(lived);
  }
  ServerProcess server(options);
  HttpClient http(server.port());
  const auto control = counted(http, 0), treatment = counted(http, 1);
  EXPECT_GE(control.exposures, shown.answers("control"));
  EXPECT_GE(treatment.exposures, shown.answers("treatment"));
  EXPECT_LE(control.exposures + treatment.exposures, shown.asked_so_far());
  EXPECT_EQ(shown.answers(""), 0u) << "every answer was part of the experiment";
  EXPECT_GE(control.people + treatment.people, shown.people());
  EXPECT_LE(control.people + treatment.people, static_cast<std::uint64_t>(kUsers));
  EXPECT_GT(shown.answers("control"), 0u);
  EXPECT_GT(shown.answers("treatment"), 0u);
  server.kill_now();
}

}  // namespace
}  // namespace millrace
