// How the program behaves towards whoever runs it: what it prints where, how it starts, stops and
// refuses.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

class Lifecycle : public testing::Test {
 protected:
  ServerProcess::Options options(std::vector<std::string> args = {}, Environment environment = {}) {
    return {.binary = MILLRACE_BINARY,
            .data = data(),
            .args = std::move(args),
            .environment = std::move(environment)};
  }
  std::string data() const { return (directory_.path() / "data").string(); }
  static CommandResult run(std::vector<std::string> args, const Environment& environment = {}) {
    args.insert(args.begin(), MILLRACE_BINARY);
    return run_command(args, environment);
  }

  static void fill(HttpClient& http) {
    for (int i = 0; i < 5; ++i) {
      http.put("/v1/items/video:" + std::to_string(i),
               R"({"title":"A video","categories":["a"],"tags":["t"]})",
               {{"Content-Type", "application/json"}});
    }
    std::string body;
    for (int i = 0; i < 300; ++i) {
      body += OracleEvent{"e" + std::to_string(i), "u" + std::to_string(i % 7),
                          "video:" + std::to_string(i % 5), i % 3 == 0 ? "like" : "view"}
                  .json() +
              "\n";
    }
    const auto reply =
        http.post("/v1/events?wait=applied", body, {{"Content-Type", "application/x-ndjson"}});
    ASSERT_EQ(reply.status, 200) << reply.body;
  }
  // What must be the same in the next life; nothing that is made of the present time.
  static std::vector<std::string> answers(HttpClient& http) {
    std::vector<std::string> out;
    for (const auto* target :
         {"/v1/lists/popular?limit=5", "/v1/lists/most-watched", "/v1/users/u1/profile",
          "/v1/users/u1/history?limit=50", "/v1/admin/digest", "/openapi.yaml"}) {
      const auto reply = http.get(target);
      EXPECT_EQ(reply.status, 200) << target << ": " << reply.body;
      const std::string_view trend = "\"trend_score\":";
      std::string body = reply.body;
      for (auto at = body.find(trend); at != body.npos; at = body.find(trend, at + 1)) {
        body.erase(at, body.find_first_of(",}", at) - at);
      }
      out.push_back(body);
    }
    return out;
  }

  TempDir directory_;
};

TEST_F(Lifecycle, TheReadyLineIsAllOfStdout) {
  ServerProcess server(options({"--log-level", "debug"}));
  HttpClient http(server.port());
  fill(http);
  EXPECT_EQ(http.get("/health/").status, 200);
  EXPECT_EQ(http.get("/ready/").status, 200);
  EXPECT_EQ(server.terminate(), 0) << server.errors();
  EXPECT_EQ(server.output(), "ready on http://127.0.0.1:" + std::to_string(server.port()) + "\n");
}

TEST_F(Lifecycle, AnswersTheSameAfterARestart) {
  std::vector<std::string> before;
  {
    ServerProcess server(options());
    HttpClient http(server.port());
    fill(http);
    before = answers(http);
    EXPECT_EQ(server.terminate(), 0) << server.errors();
  }
  ServerProcess again(options());
  HttpClient http(again.port());
  EXPECT_EQ(answers(http), before);
}

TEST_F(Lifecycle, AnUnknownVariableWarnsAndNoMore) {
  ServerProcess server(options({}, {{"MILLRACE_NO_SUCH_THING", "1"}}));
  EXPECT_EQ(HttpClient(server.port()).get("/health/").status, 200);
  EXPECT_NE(server.errors().find("MILLRACE_NO_SUCH_THING"), std::string::npos) << server.errors();
}

TEST_F(Lifecycle, ABadValueIsNamedAndNothingStarts) {
  const auto result =
      run({"serve", "--data", data(), "--port", "0"}, {{"MILLRACE_HTTP_THREADS", "many"}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("MILLRACE_HTTP_THREADS"), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(Lifecycle, ASecondServerOnTheSameFolderIsRefused) {
  ServerProcess first(options());
  const auto second = run({"serve", "--data", data(), "--port", "0"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(second.out, "");
  EXPECT_NE(second.err.find("in use by another process"), std::string::npos) << second.err;
  EXPECT_NE(second.err.find(data()), std::string::npos) << second.err;
  EXPECT_EQ(HttpClient(first.port()).get("/ready/").status, 200);
  const auto offline = run({"verify", "--data", data()});
  EXPECT_NE(offline.exit_code, 0);
  EXPECT_EQ(offline.out, "");
}

TEST_F(Lifecycle, AnAddressInUseIsNamed) {
  ServerProcess first(options());
  const auto port = std::to_string(first.port());
  const auto second = run({"serve", "--data", data() + "2", "--port", port});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.err.find(port), std::string::npos) << second.err;
}

TEST_F(Lifecycle, PrintConfigShowsWhatHolds) {
  const auto result =
      run({"serve", "--print-config", "--port", "7001", "--admin-token", "hushhush"},
          {{"CLIENT_HEADER_SECRET", "hushhush"},
           {"MILLRACE_PORT", "7002"},
           {"MILLRACE_MEMORY", "128MiB"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("port = 7001"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("memory = \"128MiB\""), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("hushhush"), std::string::npos) << result.out;
}

TEST_F(Lifecycle, APublicAddressNeedsAuthentication) {
  const auto refused = run({"serve", "--data", data(), "--port", "0", "--host", "0.0.0.0"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("admin token"), std::string::npos) << refused.err;

  ServerProcess server(options({"--host", "0.0.0.0"}, {{"MILLRACE_ADMIN_TOKEN", "a-long-secret"}}));
  HttpClient http(server.port());
  const HttpClient::Headers json = {{"Content-Type", "application/json"}};
  EXPECT_EQ(http.get("/health/").status, 200);
  EXPECT_EQ(http.get("/v1/lists/popular").status, 200);
  EXPECT_EQ(http.put("/v1/items/video:1", R"({"title":"A"})", json).status, 401);
  EXPECT_EQ(http.get("/v1/admin/status").status, 401);
  EXPECT_EQ(http.get("/v1/admin/status", {{"Authorization", "Bearer wrong"}}).status, 401);
  EXPECT_EQ(http.get("/v1/admin/status", {{"Authorization", "Bearer a-long-secret"}}).status, 200);
  EXPECT_EQ(http.put("/v1/items/video:1", R"({"title":"A"})",
                     {json.front(), {"Authorization", "Bearer a-long-secret"}})
                .status,
            201);
}

TEST_F(Lifecycle, VerbsPrintOnlyJsonWhenAskedTo) {
  const auto events = (directory_.path() / "events.jsonl").string();
  const auto written =
      run_command({"tee", events}, {}, OracleEvent{"e1", "u1", "video:1", "like"}.json() + "\n");
  ASSERT_EQ(written.exit_code, 0);
  const auto expect_json = [](const CommandResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(parse_json(result.out)) << result.out;
  };
  expect_json(run({"version", "--format", "json"}));
  {
    ServerProcess server(options());
    const auto url = "http://127.0.0.1:" + std::to_string(server.port());
    const auto resume = (directory_.path() / "resume").string();
    expect_json(run({"simulate", "--url", url, "--users", "20", "--items", "20", "--events", "200",
                     "--batch", "50", "--rate", "0", "--format", "json"}));
    expect_json(run({"dead-letters", "list", "--url", url, "--format", "json"}));
    expect_json(run({"verify", "--url", url, "--format", "json"}));
    expect_json(
        run({"backup", (directory_.path() / "b").string(), "--url", url, "--format", "json"}));
    EXPECT_EQ(server.terminate(), 0);
  }
  expect_json(run({"verify", "--data", data(), "--format", "json"}));
  expect_json(run(
      {"restore", (directory_.path() / "b").string(), "--data", data() + "2", "--format", "json"}));
}

}  // namespace
}  // namespace millrace
