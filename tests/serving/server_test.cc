#include "serving/http/server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "serving/http/encoding.h"
#include "tests/serving/test_server.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

using std::chrono::milliseconds;

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestServer server;
  HttpClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const HttpReply reply = client.get("/hello");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply.header("content-type"), "text/plain");
    EXPECT_EQ(reply.header("content-length"), "5");
    EXPECT_EQ(reply.header("date"), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(reply.header("connection"), "");
  }
  EXPECT_EQ(server.metric("http_connections"), 1);
  EXPECT_EQ(server.metric("http_requests_total{code=\"200\",route=\"/hello\"}"), 3);
  EXPECT_EQ(server.metric("http_request_duration_seconds_count{route=\"/hello\"}"), 3);
  client.close();
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
}

TEST(Server, DateFollowsTheClock) {
  TestServer server;
  HttpClient client(server.port());
  client.get("/hello");
  server.clock.advance(1'000);
  EXPECT_EQ(client.get("/hello").header("date"), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST(Server, HandsOverTheRequest) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/users/a%2Fb/?q=x+y").body, "a/b /users/a/b/ 127.0.0.1 x y");
  EXPECT_EQ(client.post("/echo", "body").body, "POST /echo body");
  EXPECT_EQ(client.put("/echo?x", std::string(300'000, 'p')).body,
            "PUT /echo?x " + std::string(300'000, 'p'));
  EXPECT_EQ(client.get("http://anywhere/users/u").body, "u /users/u 127.0.0.1 -");
}

TEST(Server, TakesABodyInChunksAndInDrops) {
  TestServer server;
  HttpClient client(server.port());
  for (const char c :
       std::string("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
    client.send_raw(std::string(1, c));
  }
  EXPECT_EQ(client.read_reply().body, "POST /echo abcde");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  HttpClient client(server.port());
  client.send_raw(get("/echo?1") + get("/later") + get("/echo?3") + get("/later") + get("/echo?5"));
  EXPECT_EQ(client.read_reply().body, "GET /echo?1 ");
  server.parked.take()(renders_text("two"));
  EXPECT_EQ(client.read_reply().body, "two");
  EXPECT_EQ(client.read_reply().body, "GET /echo?3 ");
  server.parked.take()(renders_text("four"));
  EXPECT_EQ(client.read_reply().body, "four");
  EXPECT_EQ(client.read_reply().body, "GET /echo?5 ");
}

TEST(Server, AnswersMorePipelinedRequestsThanItHoldsBack) {
  ServerOptions options;
  options.max_pipelined = 4;
  TestServer server(options);
  HttpClient client(server.port());
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += get("/echo?" + std::to_string(i));
  client.send_raw(requests);
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.read_reply().body, "GET /echo?" + std::to_string(i) + " ");
  }
}

TEST(Server, SendsLargeRepliesToManyAtOnce) {
  TestServer server;
  std::vector<std::jthread> clients;
  std::atomic<int> whole{0};
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      HttpClient client(server.port());
      client.send_raw(get("/big") + get("/big") + get("/later-at-once"));
      for (int j = 0; j < 2; ++j) whole += client.read_reply().body == std::string(1'000'000, 'b');
      whole += client.read_reply().body == "at once";
    });
  }
  clients.clear();
  EXPECT_EQ(whole, 12);
}

TEST(Server, WaitsForAnAnswerWithoutAThread) {
  ServerOptions options;
  options.threads = 1;
  TestServer server(options);
  HttpClient waiting(server.port());
  HttpClient other(server.port());
  waiting.send_raw(get("/later"));
  const Parked::Finish finish = server.parked.take();
  EXPECT_EQ(other.get("/hello").body, "hello");
  EXPECT_EQ(server.metric("http_requests_in_flight"), 1);
  std::jthread([&] { finish(renders_text("from another thread")); });
  EXPECT_EQ(waiting.read_reply().body, "from another thread");
  EXPECT_EQ(server.metric("http_requests_in_flight"), 0);
}

TEST(Server, RendersALaterWhereItsConnectionLives) {
  ServerOptions options;
  options.threads = 1;
  TestServer server(options);
  HttpClient client(server.port());
  const std::string handlers = client.get("/thread").body;
  client.send_raw(get("/later"));
  server.parked.take()(this_thread);
  EXPECT_EQ(client.read_reply().body, handlers);
  EXPECT_NE(this_thread().body, handlers);
}

TEST(Server, ARenderThatThrowsIsA500) {
  TestServer server;
  HttpClient client(server.port());
  client.send_raw(get("/later"));
  server.parked.take()([]() -> Reply { throw std::runtime_error("thrown on purpose"); });
  EXPECT_EQ(client.read_reply().status, 500);
  EXPECT_EQ(server.metric("http_handler_exceptions_total{route=\"/later\"}"), 1);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, CountsOnlyTheFirstFinish) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/later-at-once").body, "at once");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Server, ADroppedOrFailedLaterIsA500) {
  TestServer server;
  HttpClient client(server.port());
  client.send_raw(get("/later"));
  server.parked.take() = nullptr;
  EXPECT_EQ(client.read_reply().status, 500);
  EXPECT_EQ(client.get("/later-throws").status, 500);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, AnAnswerForAClientThatLeftIsDropped) {
  TestServer server;
  {
    HttpClient client(server.port());
    client.send_raw(get("/later"));
    server.parked.take()(renders_text("nobody"));
  }
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
  EXPECT_EQ(server.metric("http_requests_in_flight"), 0);
}

TEST(Server, AnExceptionIsA500AndTheConnectionLives) {
  TestServer server;
  HttpClient client(server.port());
  const HttpReply reply = client.get("/throws");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.header("content-type"), "application/problem+json");
  EXPECT_EQ(reply.body.find("on purpose"), std::string::npos);
  EXPECT_EQ(client.get("/hello").body, "hello");
  EXPECT_EQ(server.metric("http_handler_exceptions_total{route=\"/throws\"}"), 1);
}

TEST(Server, AnswersWhereThereIsNoRoute) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/nothing").status, 404);
  const HttpReply reply = client.put("/hello", "");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.header("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(client.request("OPTIONS", "/echo", {}, "").header("allow"),
            "GET, HEAD, OPTIONS, POST, PUT");
  EXPECT_EQ(client.request("OPTIONS", "*", {}, "").status, 204);
  EXPECT_EQ(client.request("GET", "*", {}, "").status, 400);
  EXPECT_EQ(client.request("BREW", "/hello", {}, "").status, 405);
  EXPECT_EQ(client.request("BREW", "/nothing", {}, "").status, 404);
  EXPECT_EQ(client.get("/users/%zz").status, 400);
  EXPECT_EQ(client.get("/hello?a=%zz").status, 400);
  EXPECT_EQ(server.metric("http_requests_total{code=\"404\",route=\"none\"}"), 2);
}

TEST(Server, HeadHasTheHeadersAndNoBody) {
  TestServer server;
  HttpClient client(server.port());
  const HttpReply reply = client.head("/json");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-length"), "2002");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Server, SpeaksHttp10) {
  TestServer server;
  {
    HttpClient client(server.port());
    client.send_raw("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read_reply().header("connection"), "close");
    EXPECT_TRUE(client.closed());
  }
  HttpClient client(server.port());
  client.send_raw("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_reply().header("connection"), "keep-alive");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Server, ClosesWhenAskedTo) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/hello", {{"Connection", "close"}}).header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(Server, AnswersAClientThatHasStoppedSending) {
  TestServer server;
  HttpClient client(server.port());
  client.send_raw(get("/hello"));
  client.shut_sending();
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_TRUE(client.closed());
}

TEST(Server, GzipsLargeText) {
  TestServer server;
  HttpClient client(server.port());
  const HttpReply packed = client.get("/json", {{"Accept-Encoding", "br, gzip;q=0.8"}});
  EXPECT_EQ(packed.header("content-encoding"), "gzip");
  EXPECT_EQ(packed.header("vary"), "Accept-Encoding");
  EXPECT_EQ(gunzip(packed.body, 10'000).value(), client.get("/json").body);
  EXPECT_LT(packed.body.size(), 200U);
  const HttpReply plain = client.get("/json", {{"Accept-Encoding", "gzip;q=0"}});
  EXPECT_EQ(plain.header("content-encoding"), "");
  EXPECT_EQ(plain.header("vary"), "Accept-Encoding");
  EXPECT_EQ(client.get("/hello", {{"Accept-Encoding", "gzip"}}).header("content-encoding"), "");
}

TEST(Server, UnpacksGzippedBodies) {
  ServerOptions options;
  options.parse.body_bytes = 1'000;
  TestServer server(options);
  HttpClient client(server.port());
  Gzipper gzipper(1);
  const HttpClient::Headers gzip = {{"Content-Encoding", "gzip"}};
  EXPECT_EQ(client.post("/echo", gzipper.compress("packed"), gzip).body, "POST /echo packed");
  EXPECT_EQ(client.post("/echo", gzipper.compress(std::string(1'001, 'x')), gzip).status, 413);
  EXPECT_EQ(client.post("/echo", "not gzip", gzip).status, 400);
  EXPECT_EQ(client.post("/echo", "x", {{"Content-Encoding", "br"}}).status, 415);
  EXPECT_EQ(client.post("/echo", "x", {{"Content-Encoding", "identity"}}).status, 200);
}

TEST(Server, SaysNotModified) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/tagged").header("etag"), "\"v1\"");
  const HttpReply same = client.get("/tagged", {{"If-None-Match", "\"v0\", W/\"v1\""}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("etag"), "\"v1\"");
  EXPECT_EQ(same.header("cache-control"), "max-age=1");
  EXPECT_EQ(same.header("vary"), "Accept-Encoding");
  EXPECT_EQ(same.header("content-length"), "");
  EXPECT_EQ(client.get("/tagged", {{"If-None-Match", "\"v0\""}}).status, 200);
  EXPECT_EQ(client.get("/tagged", {{"Accept-Encoding", "gzip"}}).header("etag"), "W/\"v1\"");
  EXPECT_EQ(server.metric("http_requests_total{code=\"304\",route=\"/tagged\"}"), 1);
}

TEST(Server, GivesEveryRequestAnId) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/hello", {{"X-Request-Id", "abc-1"}}).header("x-request-id"), "abc-1");
  const std::string first = client.get("/hello").header("x-request-id");
  const std::string second = client.get("/hello").header("x-request-id");
  EXPECT_EQ(first.size(), 16U);
  EXPECT_NE(first, second);
  const std::string long_id(200, 'a');
  EXPECT_EQ(client.get("/hello", {{"X-Request-Id", long_id}}).header("x-request-id").size(), 16U);
}

TEST(Server, LetsNobodyWriteHeaders) {
  TestServer server;
  HttpClient client(server.port());
  const HttpReply reply = client.get("/injects?v=a%0D%0ASet-Cookie:%20x");
  EXPECT_EQ(reply.header("x-echo"), "a  Set-Cookie: x");
  EXPECT_EQ(reply.header("set-cookie"), "");
}

TEST(Server, AsksWhoMayBeforeAnythingElse) {
  ServerOptions options;
  options.authorize = [](const Request& request, const Route& route) -> std::optional<Reply> {
    if (request.header("authorization")) return std::nullopt;
    Reply reply = text_reply("who are you? " + route.pattern);
    reply.status = 401;
    return reply;
  };
  TestServer server(options);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/users/x?bad=%zz").body, "who are you? /users/{id}");
  EXPECT_EQ(client.post("/echo", "not gzip", {{"Content-Encoding", "gzip"}}).status, 401);
  EXPECT_EQ(client.get("/nothing").status, 404);
  EXPECT_EQ(client.get("/hello", {{"Authorization", "Bearer x"}}).status, 200);
}

TEST(Server, WhatACredentialAllowsEndsWithItsRequest) {
  ServerOptions options;
  options.authorize = [](Request& request, const Route&) -> std::optional<Reply> {
    if (request.header("authorization")) request.caller.open = true;
    if (request.caller.known()) return std::nullopt;
    Reply reply = text_reply("who are you?");
    reply.status = 401;
    return reply;
  };
  TestServer server(options);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/hello", {{"Authorization", "Bearer x"}}).status, 200);
  EXPECT_EQ(client.get("/hello").status, 401) << "on the same connection";
}

TEST(Server, ContinuesWhenExpectedTo) {
  TestServer server;
  HttpClient client(server.port());
  client.send_raw(
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 100);
  client.send_raw("bo");
  client.send_raw("dy");
  EXPECT_EQ(client.read_reply().body, "POST /echo body");
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, RefusesAPortThatIsTaken) {
  TestServer first;
  ServerOptions options;
  options.port = first.port();
  Metrics metrics;
  const auto second = Server::start(options, Router({}), metrics, first.clock);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kConflict);
  options.address = "not an address";
  EXPECT_EQ(Server::start(options, Router({}), metrics, first.clock).error().code, Code::kInvalid);
}

TEST(Server, StopsGracefully) {
  TestServer server;
  HttpClient idle(server.port());
  HttpClient busy(server.port());
  EXPECT_EQ(idle.get("/hello").status, 200);
  busy.send_raw(get("/later") + get("/hello"));
  const Parked::Finish finish = server.parked.take();
  std::jthread stopping([&] { server.server->stop(); });
  EXPECT_TRUE(idle.closed());
  finish(renders_text("the last answer"));
  const HttpReply reply = busy.read_reply();
  EXPECT_EQ(reply.body, "the last answer");
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_TRUE(busy.closed());
  busy.close();
  stopping.join();
  EXPECT_THROW(HttpClient(server.port()), std::runtime_error);
}

TEST(Server, StopsInTheEndWhateverIsWaitedFor) {
  ServerOptions options;
  options.stop_deadline = milliseconds(50);
  TestServer server(options);
  HttpClient client(server.port());
  client.send_raw(get("/later"));
  const Parked::Finish finish = server.parked.take();
  server.server->stop();
  EXPECT_TRUE(client.closed());
  finish(renders_text("too late for anyone"));
}

}  // namespace
}  // namespace millrace::serving
