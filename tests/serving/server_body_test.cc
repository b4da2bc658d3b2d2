// Bodies that are taken as they come.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "serving/http/body_sink.h"
#include "serving/http/problem.h"
#include "tests/serving/test_server.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

using std::chrono::milliseconds;
using Taken = BodySink::Taken;

// What came of the bodies, and how they are taken.
struct Fate {
  std::atomic<int> begun{0}, gone{0}, finished{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> most{1'000'000};
  std::atomic<std::uint64_t> enough{UINT64_MAX};  // bytes after which the answer is known
  std::atomic<bool> holds{false};                 // asks to wait after every piece
  std::mutex mutex;
  std::function<void()> ready;  // of the piece that waits

  bool waits() {
    const std::lock_guard lock(mutex);
    return ready != nullptr;
  }
  void go_on() {
    std::function<void()> next;
    {
      const std::lock_guard lock(mutex);
      next.swap(ready);
    }
    if (next) next();
  }
};

class Sink final : public BodySink {
 public:
  explicit Sink(Fate& fate) : fate_(fate) { ++fate_.begun; }
  ~Sink() override { ++fate_.gone; }
  std::uint64_t max_bytes() const override { return fate_.most; }
  Taken take(std::string bytes, std::function<void()> ready) override {
    fate_.bytes += bytes.size();
    sum_ += bytes;
    if (fate_.bytes >= fate_.enough) return Taken::kEnough;
    if (!fate_.holds) return Taken::kMore;
    const std::lock_guard lock(fate_.mutex);
    fate_.ready = std::move(ready);
    return Taken::kWait;
  }
  Answer finish() override {
    ++fate_.finished;
    return text_reply(std::to_string(sum_.size()) + " " + sum_.substr(0, 10));
  }

 private:
  Fate& fate_;
  std::string sum_;
};

struct BodyServer {
  explicit BodyServer(ServerOptions options = {}) {
    options.threads = 1;
    std::vector<Route> routes = {
        {"POST",
         "/take",
         Policy::kPublic,
         [this](const Request& request) -> Answer {
           EXPECT_EQ(request.body, "");
           if (request.header("x-refuse")) return problem(403, "not you");
           Reply reply;
           reply.sink = std::make_shared<Sink>(fate);
           if (!request.header("x-later")) return reply;
           return Later{[reply](const std::function<void(Render)>& finish) {
             finish([reply] { return reply; });
           }};
         },
         {},
         true},
        {"POST", "/whole", Policy::kPublic,
         [](const Request& request) -> Answer { return text_reply(request.body); }}};
    server = Server::start(std::move(options), Router(std::move(routes)), metrics, clock).value();
  }
  std::uint16_t port() const { return server->port(); }

  Metrics metrics;
  ManualClock clock{0};
  Fate fate;
  std::unique_ptr<Server> server;
};

std::string head(const std::string& more, const std::string& path = "/take") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n";
}
std::string length(std::size_t bytes) {
  return "Content-Length: " + std::to_string(bytes) + "\r\n";
}

TEST(ServerBody, IsTakenAsItComes) {
  BodyServer server;
  HttpClient client(server.port());
  client.send_raw(head(length(11)) + "hello");
  ASSERT_TRUE(eventually([&] { return server.fate.bytes == 5; })) << "before it is whole";
  client.send_raw(" world" + head(length(2), "/whole") + "ok");
  EXPECT_EQ(client.read_reply().body, "11 hello worl");
  EXPECT_EQ(client.read_reply().body, "ok") << "the connection goes on";
  EXPECT_EQ(server.fate.gone, 1);
  client.send_raw(head("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "5 abcde");
  client.send_raw(head(length(0)) + head(""));
  EXPECT_EQ(client.read_reply().body, "0 ");
  EXPECT_EQ(client.read_reply().body, "0 ");
  EXPECT_EQ(client.post("/take", std::string(500'000, 'x'), {{"x-later", "1"}}).body,
            "500000 xxxxxxxxxx");
  EXPECT_EQ(server.fate.finished, 5);
}

TEST(ServerBody, IsAskedForOnceItIsWanted) {
  BodyServer server;
  for (const char* later : {"", "X-Later: 1\r\n"}) {
    HttpClient client(server.port());
    client.send_raw(head(length(2) + "Expect: 100-continue\r\n" + later));
    EXPECT_EQ(client.read_reply().status, 100);
    client.send_raw("ok");
    EXPECT_EQ(client.read_reply().body, "2 ok");
  }
  HttpClient client(server.port());
  client.send_raw(head(length(2) + "Expect: 100-continue\r\nX-Refuse: 1\r\n"));
  const auto refused = client.read_reply();
  EXPECT_EQ(refused.status, 403) << "at once, without its body";
  EXPECT_EQ(refused.header("connection"), "close");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.fate.begun, 2);
}

TEST(ServerBody, HasALimitOfItsOwn) {
  ServerOptions options;
  options.parse.body_bytes = 10;
  BodyServer server(options);
  EXPECT_EQ(HttpClient(server.port()).post("/take", std::string(1'000'000, 'x')).status, 200);
  EXPECT_EQ(HttpClient(server.port()).post("/whole", std::string(11, 'x')).status, 413);
  HttpClient client(server.port());
  client.send_raw(head(length(1'000'001)));
  EXPECT_EQ(client.read_reply().status, 413);
  EXPECT_TRUE(client.closed());
  HttpClient chunks(server.port());
  chunks.send_raw(head("Transfer-Encoding: chunked\r\n") + "f4241\r\n");
  EXPECT_EQ(chunks.read_reply().status, 413);
  EXPECT_TRUE(eventually([&] { return server.fate.gone == server.fate.begun; }));
  EXPECT_EQ(server.fate.finished, 1);
}

TEST(ServerBody, IsHeldBackUntilThereIsRoom) {
  BodyServer server;
  server.fate.most = 100'000'000;
  server.fate.holds = true;
  HttpClient client(server.port());
  client.send_raw(head(length(3)) + "a");
  ASSERT_TRUE(eventually([&] { return server.fate.waits(); }));
  client.send_raw("b");
  HttpClient other(server.port());
  EXPECT_EQ(other.post("/whole", "x").body, "x") << "nobody else waits";
  EXPECT_EQ(server.fate.bytes, 1u) << "nothing is read before there is room";
  server.fate.go_on();
  ASSERT_TRUE(eventually([&] { return server.fate.bytes == 2 && server.fate.waits(); }));
  server.fate.go_on();
  client.send_raw("c");
  EXPECT_EQ(client.read_reply().body, "3 abc");
}

TEST(ServerBody, EnoughOfItIsAnswered) {
  BodyServer server;
  server.fate.enough = 3;
  HttpClient client(server.port());
  client.send_raw(head(length(500'000)) + std::string(500'000, 'x'));
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(ServerBody, OneThatBreaksOffIsLetGoOf) {
  ServerOptions options;
  options.body_deadline = milliseconds(100);
  BodyServer server(options);
  {
    HttpClient client(server.port());
    client.send_raw(head(length(10)) + "abc");
    ASSERT_TRUE(eventually([&] { return server.fate.bytes == 3; }));
  }
  EXPECT_TRUE(eventually([&] { return server.fate.gone == 1; })) << "the client has left";
  HttpClient slow(server.port());
  slow.send_raw(head(length(10)) + "abc");
  EXPECT_EQ(slow.read_reply().status, 408);
  EXPECT_TRUE(eventually([&] { return server.fate.gone == 2; }));
  HttpClient garbled(server.port());
  garbled.send_raw(head("Transfer-Encoding: chunked\r\n") + "1\r\na\r\nno chunk\r\n");
  EXPECT_EQ(garbled.read_reply().status, 400);
  EXPECT_TRUE(eventually([&] { return server.fate.gone == 3; }));
  server.fate.holds = true;
  HttpClient waiting(server.port());
  waiting.send_raw(head(length(10)) + "abc");
  EXPECT_EQ(waiting.read_reply().status, 408);
  server.fate.go_on();  // too late
  EXPECT_TRUE(eventually([&] { return server.fate.gone == 4; }));
  EXPECT_EQ(server.fate.finished, 0);
}

TEST(ServerBody, AsLongAsItIsItMayTake) {
  ServerOptions options;
  options.body_deadline = milliseconds(1);
  options.body_bytes_per_second = 1'000;
  BodyServer server(options);
  HttpClient client(server.port());
  client.send_raw(head(length(60'000)) + "a");
  ASSERT_TRUE(eventually([&] { return server.fate.bytes == 1; }));
  HttpClient short_one(server.port());
  short_one.send_raw(head(length(10)) + "a");
  EXPECT_EQ(short_one.read_reply().status, 408);
  client.send_raw(std::string(59'999, 'a'));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(ServerBody, StoppingLetsGoOfThem) {
  ServerOptions options;
  options.stop_deadline = milliseconds(1);
  BodyServer server(options);
  HttpClient client(server.port());
  client.send_raw(head(length(10)) + "abc");
  ASSERT_TRUE(eventually([&] { return server.fate.bytes == 3; }));
  server.server->stop();
  EXPECT_EQ(server.fate.gone, 1);
}

TEST(ServerBody, WhatTheyHoldIsBounded) {
  ServerOptions options;
  options.max_body_memory = BodySink::kWindow * 2;
  BodyServer server(options);
  HttpClient one(server.port()), two(server.port()), three(server.port());
  for (auto* client : {&one, &two}) client->send_raw(head(length(10)) + "abc");
  ASSERT_TRUE(eventually([&] { return server.fate.begun == 2; }));
  three.send_raw(head(length(10)) + "abc");
  EXPECT_EQ(three.read_reply().status, 429);
  one.send_raw("defghij");
  EXPECT_EQ(one.read_reply().status, 200);
  EXPECT_EQ(HttpClient(server.port()).post("/take", "x").status, 200);
}

}  // namespace
}  // namespace millrace::serving
