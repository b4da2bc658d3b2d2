// The server is killed at every step of a merge: after the restart it goes on by itself, and the
// state is that of a merge that nothing disturbed.
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

constexpr int kEvents = 2'500;  // of the one who is merged: copied in several appends
constexpr int kItems = 50;

void post_events(HttpClient& http) {
  std::string body;
  for (int i = 0; i < kEvents; ++i) {
    body += R"({"type":")" + std::string(i % 2 == 0 ? "like" : "view") +
            R"(","data":{"user":"anonymous","item":"video:)" + std::to_string(i % kItems) +
            "\"}}\n";
  }
  body += R"({"type":"like","data":{"user":"account","item":"video:0"}})";
  const auto sent =
      http.post("/v1/events?wait=applied", body, {{"Content-Type", "application/x-ndjson"}});
  ASSERT_EQ(sent.status, 200) << sent.body;
}

std::string events_of(HttpClient& http, const std::string& user) {
  const auto json = parse_json(http.get("/v1/users/" + user + "/profile").body);
  const Json* events = json ? json->find("events") : nullptr;
  return events == nullptr ? std::string() : events->text;
}

class MergeKill : public ::testing::TestWithParam<const char*> {};

TEST_P(MergeKill, GoesOnWhereItWas) {
  TempDir directory;
  ServerProcess::Options options{.binary = MILLRACE_BINARY,
                                 .data = (directory.path() / "data").string(),
                                 .args = {"--log-level", "warn"},
                                 .environment = {}};
  {
    ServerProcess server(options);
    HttpClient http(server.port());
    for (int i = 0; i < kItems; ++i) {
      http.put("/v1/items/video:" + std::to_string(i), R"({"title":"Video"})",
               {{"Content-Type", "application/json"}});
    }
    post_events(http);
    ASSERT_FALSE(HasFatalFailure());
    server.kill_now();
  }
  options.environment = {{"MILLRACE_CRASH_AT", GetParam()}};
  {
    ServerProcess server(options);
    try {
      HttpClient http(server.port(), std::chrono::seconds(20));
      const auto reply = http.post("/v1/users/anonymous/merge", R"({"into":"account"})",
                                   {{"Content-Type", "application/json"}});
      ADD_FAILURE() << "it should have been killed, but answered " << reply.status;
    } catch (const std::runtime_error&) {
      // Killed.
    }
    EXPECT_TRUE(eventually([&] { return !server.alive(); }));
  }
  options.environment.clear();
  ServerProcess server(options);
  HttpClient http(server.port());
  ASSERT_TRUE(eventually([&] { return events_of(http, "anonymous") == "0"; }));
  wait_applied(http);
  EXPECT_EQ(events_of(http, "account"), std::to_string(kEvents + 1));
  // And once more, by hand: nothing is left to be moved.
  const auto again = http.post("/v1/users/anonymous/merge", R"({"into":"account"})",
                               {{"Content-Type", "application/json"}});
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(events_of(http, "account"), std::to_string(kEvents + 1));
}

INSTANTIATE_TEST_SUITE_P(Steps, MergeKill,
                         ::testing::Values("merge_before_copy:1", "merge_copied:1",
                                           "merge_copied:2", "merge_before_erase:1",
                                           "merge_erased:1"));

}  // namespace
}  // namespace millrace
