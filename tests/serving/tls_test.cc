#include "serving/http/tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/serving/test_server.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_client.h"

namespace millrace::serving {
namespace {

namespace fs = std::filesystem;

class Tls : public ::testing::Test {
 protected:
  ServerOptions options() {
    const auto made = make_certificate(dir_.path(), "first.example");
    ServerOptions options;
    options.tls = {dir_.path() / "server.crt", dir_.path() / "server.key"};
    install(made);
    return options;
  }
  void install(const Certificate& made) {
    const auto replace = fs::copy_options::overwrite_existing;
    fs::copy_file(made.certificate, dir_.path() / "server.crt", replace);
    fs::copy_file(made.key, dir_.path() / "server.key", replace);
  }
  static std::string get(const std::string& path, const std::string& more = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n";
  }
  static std::string hello(TlsClient& client) {
    client.send(get("/hello"));
    client.read_until("\r\n\r\n");
    return client.read_exactly(5);
  }

  TempDir dir_;
};

TEST_F(Tls, RequestsAreAnsweredOnOneConnectionAfterTheOther) {
  TestServer server(options());
  TlsClient client(server.port());
  EXPECT_EQ(client.server_name(), "first.example");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(hello(client), "hello");
  client.send(get("/users/7") + get("/hello"));
  EXPECT_NE(client.read_until(" -").find("7 /users/7 127.0.0.1"), std::string::npos)
      << "the client's address, not the socket pair's";
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_exactly(5), "hello") << "pipelined";
}

TEST_F(Tls, LargeAnswersAndBodiesComeWhole) {
  TestServer server(options());
  TlsClient client(server.port());
  client.send(get("/big"));
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_exactly(1'000'000), std::string(1'000'000, 'b'));
  const std::string body(500'000, 'x');
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + body);
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_exactly(11 + body.size()), "POST /echo " + body);
}

TEST_F(Tls, TheEndIsSaidAndPlacesAreFreeAgain) {
  TestServer server(options());
  {
    TlsClient client(server.port());
    client.send(get("/hello", "Connection: close\r\n"));
    std::string all;
    EXPECT_TRUE(client.read_to_end(all)) << "cut off without a goodbye";
    EXPECT_TRUE(all.ends_with("hello"));
  }
  { TlsClient leaves(server.port()); }
  HttpClient plain(server.port());
  plain.send_raw(get("/hello"));
  EXPECT_EQ(plain.read_to_end().find("HTTP/"), std::string::npos) << "nothing in plain text";
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
}

TEST_F(Tls, WhoDoesNotShakeHandsIsCutOff) {
  auto quick = options();
  quick.head_deadline = std::chrono::milliseconds(50);
  TestServer server(std::move(quick));
  HttpClient silent(server.port());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 0; }));
}

TEST_F(Tls, WhoDoesNotReadIsCutOff) {
  auto quick = options();
  quick.write_deadline = std::chrono::milliseconds(100);
  TestServer server(std::move(quick));
  TlsClient lazy(server.port());
  lazy.send(get("/slow-to-read"));
  EXPECT_TRUE(eventually([&] { return server.metric("http_connections") == 1; }));
  EXPECT_TRUE(
      eventually([&] { return server.metric("http_connections") == 0; }, std::chrono::seconds(60)));
}

TEST_F(Tls, OldVersionsAreRefused) {
  TestServer server(options());
  EXPECT_THROW(TlsClient(server.port(), TlsClient::Version::kUpTo11), std::runtime_error);
}

TEST_F(Tls, ACertificateIsReplacedWithoutARestart) {
  TestServer server(options());
  TlsClient before(server.port());
  install(make_certificate(dir_.path(), "second.example"));
  ASSERT_TRUE(server.server->reload_tls());
  EXPECT_EQ(TlsClient(server.port()).server_name(), "second.example");
  EXPECT_EQ(hello(before), "hello") << "who is connected stays so";
  std::ofstream(dir_.path() / "server.crt") << "no certificate";
  const auto refused = server.server->reload_tls();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().field, "tls.cert");
  EXPECT_EQ(TlsClient(server.port()).server_name(), "second.example") << "the last good one";
}

TEST_F(Tls, FilesThatDoNotBelongTogetherAreRefusedAtTheStart) {
  auto first = options();
  const auto other = make_certificate(dir_.path(), "other.example");
  first.tls.key = other.key;
  Metrics metrics;
  const SystemClock clock;
  const auto started = Server::start(first, Router({}), metrics, clock);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().field, "tls.key");
  first.tls = {dir_.path() / "nothing", other.key};
  EXPECT_EQ(Server::start(first, Router({}), metrics, clock).error().field, "tls.cert");
}

TEST_F(Tls, StopsWithConnectionsOpen) {
  auto quick = options();
  quick.stop_deadline = std::chrono::milliseconds(50);
  TestServer server(std::move(quick));
  TlsClient idle(server.port()), busy(server.port());
  HttpClient handshaking(server.port());
  EXPECT_EQ(hello(idle), "hello");
  busy.send(get("/later"));
  const auto finish = server.parked.take();
  server.server->stop();
  std::string rest;
  idle.read_to_end(rest);
  EXPECT_EQ(rest, "");
  EXPECT_TRUE(handshaking.closed());
  finish(renders_text("too late"));
}

}  // namespace
}  // namespace millrace::serving
