#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/serving/test_server.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

using std::chrono::milliseconds;

const std::string kGet = "GET /hello HTTP/1.1\r\nHost: h\r\n";

// Sends raw bytes; the status of the answer, after which the server must have closed.
int refused(TestServer& server, const std::string& bytes) {
  HttpClient client(server.port());
  client.send_raw(bytes);
  const HttpReply reply = client.read_reply();
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_EQ(reply.header("content-type"), "application/problem+json");
  EXPECT_TRUE(client.closed());
  return reply.status;
}

TEST(ServerLimits, HeadTargetAndBody) {
  ServerOptions options;
  options.parse.head_bytes = 1'000;
  options.parse.target_bytes = 100;
  options.parse.body_bytes = 50;
  TestServer server(options);
  EXPECT_EQ(refused(server, kGet + "X: " + std::string(1'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(refused(server, "GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 414);
  EXPECT_EQ(refused(server, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 51\r\n\r\n"), 413);
  EXPECT_EQ(refused(server,
                    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n33\r\nab"),
            413);
  EXPECT_EQ(server.rejected("head_too_large"), 1);
  EXPECT_EQ(server.rejected("target_too_long"), 1);
  EXPECT_EQ(server.rejected("body_too_large"), 2);
  EXPECT_EQ(server.metric("http_requests_total{code=\"413\",route=\"none\"}"), 2);
}

TEST(ServerLimits, ARefusalReachesAClientThatIsStillSending) {
  ServerOptions options;
  options.parse.body_bytes = 1'000;
  TestServer server(options);
  EXPECT_EQ(refused(server, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" +
                                std::string(500'000, 'x')),
            413);
}

TEST(ServerLimits, SmuggledRequestsAreNotServed) {
  TestServer server;
  const std::string inner = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& framing : std::vector<std::string>{
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
           "Content-Length: 0\r\nContent-Length: 3\r\n",
           "Content-Length : 3\r\n",
       }) {
    EXPECT_EQ(
        refused(server, "POST /echo HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n0\r\n\r\n" + inner),
        400)
        << framing;
  }
  EXPECT_EQ(refused(server, "GET /hello HTTP/1.1\r\n\r\n" + inner), 400);
  EXPECT_EQ(server.metric("http_requests_total{code=\"200\",route=\"/hello\"}"), -1);
  EXPECT_EQ(server.rejected("bad_request"), 5);
}

TEST(ServerLimits, Connections) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer server(options);
  HttpClient one(server.port());
  HttpClient two(server.port());
  EXPECT_EQ(one.get("/hello").status, 200);
  EXPECT_EQ(two.get("/hello").status, 200);
  {
    HttpClient three(server.port());
    const HttpReply reply = three.read_reply();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("retry-after"), "1");
    EXPECT_TRUE(three.closed());
  }
  EXPECT_EQ(server.rejected("connections"), 1);
  one.close();
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 1; }));
  HttpClient again(server.port());
  EXPECT_EQ(again.get("/hello").status, 200);
}

TEST(ServerLimits, ConnectionsPerAddress) {
  ServerOptions options;
  options.max_connections_per_address = 1;
  TestServer server(options);
  HttpClient one(server.port());
  EXPECT_EQ(one.get("/hello").status, 200);
  HttpClient two(server.port());
  EXPECT_EQ(two.read_reply().status, 503);
  EXPECT_EQ(server.rejected("connections_per_address"), 1);
  one.close();
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
  HttpClient again(server.port());
  EXPECT_EQ(again.get("/hello").status, 200);
}

TEST(ServerLimits, RequestsInFlight) {
  ServerOptions options;
  options.max_in_flight = 1;
  TestServer server(options);
  HttpClient one(server.port());
  HttpClient two(server.port());
  one.send_raw("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  const Parked::Finish finish = server.parked.take();
  const HttpReply reply = two.get("/later");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_EQ(two.get("/hello").status, 200);
  EXPECT_EQ(server.rejected("in_flight"), 1);
  finish(renders_text("done"));
  EXPECT_EQ(one.read_reply().body, "done");
  two.send_raw("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  server.parked.take()(renders_text("now"));
  EXPECT_EQ(two.read_reply().body, "now");
}

TEST(ServerLimits, MemoryOfBodies) {
  ServerOptions options;
  options.max_body_memory = 100'000;
  TestServer server(options);
  HttpClient one(server.port());
  one.send_raw("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n" +
               std::string(70'000, 'x'));
  EXPECT_TRUE(eventually([&] { return server.metric("http_body_bytes") == 70'000; }));
  EXPECT_EQ(refused(server, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n" +
                                std::string(60'000, 'x')),
            429);
  EXPECT_EQ(server.rejected("body_memory"), 1);
  one.send_raw(std::string(10'000, 'x'));
  EXPECT_EQ(one.read_reply().status, 200);
  EXPECT_EQ(server.metric("http_body_bytes"), 0);
}

TEST(ServerLimits, SlowHead) {
  ServerOptions options;
  options.head_deadline = milliseconds(100);
  TestServer server(options);
  EXPECT_EQ(refused(server, "GET /hello HT"), 408);
  EXPECT_EQ(refused(server, kGet + "X: a\r\n"), 408);
  EXPECT_EQ(server.rejected("head_timeout"), 2);
}

TEST(ServerLimits, ADrippingHeadIsNoBetter) {
  ServerOptions options;
  options.head_deadline = milliseconds(100);
  TestServer server(options);
  HttpClient client(server.port());
  client.send_raw(kGet);
  EXPECT_TRUE(eventually([&] {
    client.send_raw("X: a\r\n");
    return server.rejected("head_timeout") == 1;
  }));
}

TEST(ServerLimits, SlowBody) {
  ServerOptions options;
  options.body_deadline = milliseconds(100);
  TestServer server(options);
  EXPECT_EQ(refused(server, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"), 408);
  EXPECT_EQ(server.rejected("body_timeout"), 1);
}

TEST(ServerLimits, IdleConnections) {
  ServerOptions options;
  options.idle_deadline = milliseconds(100);
  TestServer server(options);
  HttpClient fresh(server.port());
  HttpClient used(server.port());
  EXPECT_EQ(used.get("/hello").status, 200);
  EXPECT_TRUE(fresh.closed());
  EXPECT_TRUE(used.closed());
}

TEST(ServerLimits, AnswersThatDoNotCome) {
  ServerOptions options;
  options.later_deadline = milliseconds(100);
  TestServer server(options);
  HttpClient client(server.port());
  client.send_raw("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  const Parked::Finish finish = server.parked.take();
  const HttpReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_EQ(server.rejected("later_timeout"), 1);
  client.send_raw("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  const Parked::Finish second = server.parked.take();
  finish(renders_text("too late"));
  second(renders_text("in time"));
  EXPECT_EQ(client.read_reply().body, "in time");
}

TEST(ServerLimits, SlowReaders) {
  ServerOptions options;
  options.write_deadline = milliseconds(100);
  options.write_bytes_per_second = 1'000'000'000;
  TestServer server(options);
  HttpClient client(server.port());
  // Far more than the buffers of both sockets hold, and nobody reads.
  client.send_raw("GET /slow-to-read HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return server.rejected("slow_reader") == 1; }));
  EXPECT_FALSE(client.try_read_reply().has_value());
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
}

// The process runs out of descriptors while a client waits to be accepted.
TEST(ServerLimits, OutOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan, which this build has too, needs a descriptor whenever it first meets a "
                  "type, and takes the lack of one for an error of ours";
#endif
  TestServer server;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  ASSERT_FALSE(taken.empty());
  ::close(taken.back());  // for the client's end; none is left for the server's
  taken.pop_back();
  HttpClient client(server.port());
  EXPECT_TRUE(eventually([&] { return server.rejected("no_descriptors") >= 3; }));
  EXPECT_LT(server.rejected("no_descriptors"), 20);
  for (const int fd : taken) ::close(fd);
  EXPECT_EQ(client.get("/hello").body, "hello");
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace millrace::serving
