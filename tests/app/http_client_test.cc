#include "app/http_client.h"

#include <gtest/gtest.h>

#include "app/target.h"
#include "tests/support/scripted_server.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

Url url_of(const ScriptedServer& server, const std::string& prefix = "") {
  return {"127.0.0.1", server.port(), prefix};
}

TEST(UrlOf, ItsParts) {
  const auto url = Url::parse("http://example.org:8081/base/");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 8081);
  EXPECT_EQ(url->prefix, "/base");
  EXPECT_EQ(Url::parse("http://h")->port, 80);
  EXPECT_EQ(Url::parse("http://[::1]:90/")->host, "::1");
  EXPECT_EQ(Url::parse("http://[::1]:90/")->authority(), "[::1]:90");
  for (const auto* bad : {"", "h:1", "https://h", "http://", "http://:80", "http://h:0",
                          "http://h:99999", "http://h:x", "http://u@h", "http://h/?q", "http://[]",
                          "http://h\r\nX: y", "http://[::1"}) {
    EXPECT_FALSE(Url::parse(bad).has_value()) << bad;
  }
}

TEST(HttpClient, SendsAndKeepsTheConnection) {
  ScriptedServer server;
  server.answer(200, "one", "X-Some: a\r\n");
  server.answer(201, "two");
  HttpClient client(url_of(server, "/base"));
  const auto first = client.exchange({"POST", "/v1/x?y=1", {{"Content-Type", "text/plain"}}, "hi"});
  ASSERT_TRUE(first.has_value()) << first.error().detail;
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "one");
  ASSERT_NE(first->header("x-some"), nullptr);
  EXPECT_EQ(*first->header("x-some"), "a");
  EXPECT_EQ(client.exchange({})->body, "two");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests()[0],
            "POST /base/v1/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

TEST(HttpClient, ReadsChunksAndInterimReplies) {
  ScriptedServer server;
  server.answer(
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"});
  server.answer({"HTTP/1.1 204 No Content\r\n\r\n"});
  HttpClient client(url_of(server));
  EXPECT_EQ(client.exchange({})->body, "abcde");
  EXPECT_EQ(client.exchange({})->status, 204);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, ReadsToTheEndWhereNoLengthIsGiven) {
  ScriptedServer server;
  server.answer({"HTTP/1.0 200 OK\r\n\r\nall of it", true});
  server.answer(200, "again");
  HttpClient client(url_of(server));
  EXPECT_EQ(client.exchange({})->body, "all of it");
  EXPECT_EQ(client.exchange({})->body, "again");
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClient, AKeptConnectionThatWasClosedIsReplaced) {
  ScriptedServer server;
  server.answer({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", true});
  server.answer(200, "b");
  HttpClient client(url_of(server));
  EXPECT_EQ(client.exchange({})->body, "a");
  EXPECT_EQ(client.exchange({})->body, "b");
}

TEST(HttpClient, WhatIsCutOffOrNoHttpIsAnError) {
  for (const auto* bytes :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
    ScriptedServer server;
    server.answer({bytes, true});
    HttpClient client(url_of(server));
    const auto reply = client.exchange({});
    ASSERT_FALSE(reply.has_value()) << bytes;
    EXPECT_EQ(reply.error().code, Code::kIo) << bytes;
  }
}

TEST(HttpClient, ASilentServerIsATimeout) {
  ScriptedServer server;
  HttpClient client(url_of(server), {1s, 50ms});
  EXPECT_EQ(client.exchange({}).error().code, Code::kTimeout);
}

TEST(HttpClient, NobodyThereIsUnavailable) {
  std::uint16_t port = 0;
  {
    const ScriptedServer gone;
    port = gone.port();
  }
  HttpClient client({"127.0.0.1", port, ""});
  EXPECT_EQ(client.exchange({}).error().code, Code::kUnavailable);
}

RetryPolicy quick() { return {1ms, 4ms, 2s, {}}; }

TEST(HttpTarget, TriesAgainWhenTheServerIsBusyOrCutsOff) {
  ScriptedServer server;
  server.answer(503, "");
  server.answer(429, "");
  server.answer({"", true});
  server.answer(200, "done");
  HttpTarget target(url_of(server), "secret", quick());
  const auto reply = target.post("/v1/events", "application/json", "{}");
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->body, "done");
  ASSERT_EQ(server.requests().size(), 4u);
  for (const auto& request : server.requests()) {
    EXPECT_NE(request.find("Authorization: Bearer secret\r\n"), std::string::npos);
    EXPECT_EQ(request.substr(request.size() - 2), "{}");
  }
}

TEST(HttpTarget, WaitsAsLongAsRetryAfterSays) {
  ScriptedServer server;
  server.answer(429, "", "Retry-After: 7\r\n");
  std::vector<std::chrono::milliseconds> waits;
  RetryPolicy policy{1ms, 4ms, 60s, {}};
  policy.may_wait = [&](std::chrono::milliseconds wait, const std::string&) {
    waits.push_back(wait);
    return false;
  };
  HttpTarget target(url_of(server), "", policy);
  EXPECT_EQ(target.get("/")->status, 429);
  EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{7s}));
}

TEST(HttpTarget, GivesUpInTheEndAndDoesNotRepeatWhatWasRefused) {
  ScriptedServer server;
  for (int i = 0; i < 100; ++i) server.answer(503, "");
  HttpTarget target(url_of(server), "", {1ms, 4ms, 10ms, {}});
  EXPECT_EQ(target.get("/")->status, 503);
  EXPECT_LT(server.requests().size(), 12u);

  ScriptedServer strict;
  strict.answer(400, R"({"title":"invalid","detail":"must not","field":"limit"})");
  HttpTarget refused(url_of(strict), "", quick());
  const auto reply = refused.get("/");
  EXPECT_EQ(reply->status, 400);
  EXPECT_EQ(strict.requests().size(), 1u);
  EXPECT_EQ(error_of(*reply), (Error{Code::kInvalid, "status 400: invalid: must not", "limit"}));
}

}  // namespace
}  // namespace millrace::app
