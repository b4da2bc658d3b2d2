// The server is killed in the middle of a training: no event is lost, and after the restart the
// model from before it serves.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "schemas/json_value.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/state_check.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr int kUsers = 60, kItems = 40;
const HttpClient::Headers kJson = {{"Content-Type", "application/json"}};

std::string at(const std::string& body, std::initializer_list<const char*> path) {
  auto json = parse_json(body);
  const Json* here = json ? &*json : nullptr;
  for (const char* name : path) {
    if (here != nullptr) {
      here = here->kind == JsonKind::kArray
                 ? (here->elements.empty() ? nullptr : &here->elements.front())
                 : here->find(name);
    }
  }
  return here == nullptr ? std::string() : here->text;
}

void like(HttpClient& http, int from, int to) {
  std::string body;
  for (int user = from; user < to; ++user) {
    for (int i = 0; i < 8; ++i) {
      body += R"({"type":"like","data":{"user":"u)" + std::to_string(user) + R"(","item":"movie:)" +
              std::to_string((user * 7 + i) % kItems) + "\"}}\n";
    }
  }
  const auto sent = http.post("/v1/events", body, {{"Content-Type", "application/x-ndjson"}});
  ASSERT_EQ(sent.status, 200) << sent.body;
}

std::string train(HttpClient& http) {
  const auto started = http.post("/api/enhanced-train/", R"({"model":"linear_model"})", kJson);
  EXPECT_EQ(started.status, 202) << started.body;
  return at(started.body, {"status_url"});
}

std::string recommended(HttpClient& http) {
  return http.get("/v1/recommendations/u1?algorithm=linear&explain=true&limit=5").body;
}

class TrainingKill : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainingKill, LosesNothingAndLeavesTheOldModelServing) {
  TempDir directory;
  ServerProcess::Options options{
      .binary = MILLRACE_BINARY,
      .data = (directory.path() / "data").string(),
      .args = {"--log-level", "warn", "--engine-api-per-minute", "0", "--engine-trainings-per-hour",
               "0", "--models-linear-every", "0"},
      .environment = {}};
  std::string before;
  {
    ServerProcess server(options);
    HttpClient http(server.port());
    for (int i = 0; i < kItems; ++i) {
      http.put("/v1/items/movie:" + std::to_string(i), R"({"title":"M","categories":["a"]})",
               kJson);
    }
    like(http, 0, kUsers);
    wait_applied(http);
    const auto job = train(http);
    ASSERT_TRUE(eventually([&] { return at(http.get(job).body, {"status"}) == "done"; }));
    before = at(recommended(http), {"algorithm"});
    EXPECT_EQ(before, "linear");
    server.kill_now();
  }
  options.environment = {{"MILLRACE_CRASH_AT", GetParam()}};
  {
    ServerProcess server(options);
    HttpClient http(server.port());
    like(http, kUsers, 2 * kUsers);  // acknowledged, and maybe not yet applied
    ASSERT_FALSE(HasFatalFailure());
    try {
      train(http);
    } catch (const std::runtime_error&) {
      // Killed before it could answer.
    }
    ASSERT_TRUE(eventually([&] { return !server.alive(); })) << "it should have been killed";
  }
  options.environment.clear();
  ServerProcess server(options);
  HttpClient http(server.port());
  wait_applied(http);
  for (int user = 0; user < 2 * kUsers; ++user) {
    const auto profile = http.get("/v1/users/u" + std::to_string(user) + "/profile").body;
    EXPECT_EQ(at(profile, {"events"}), "8") << user;
  }
  EXPECT_EQ(at(recommended(http), {"algorithm"}), "linear");
}

INSTANTIATE_TEST_SUITE_P(Steps, TrainingKill,
                         ::testing::Values("training_begun:1", "training_solved:1"));

}  // namespace
}  // namespace millrace
