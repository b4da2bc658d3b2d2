// What the gate means on real connections.
#include <gtest/gtest.h>

#include "serving/http/gate.h"
#include "tests/serving/test_server.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

std::shared_ptr<Gate> gate(GateOptions options, const Clock& clock) {
  GateLinks links;
  links.blocks = [none = std::make_shared<const state::BlocksView>()] { return none; };
  return std::make_shared<Gate>(std::move(options), std::move(links), clock);
}

TEST(ServerGate, AnswersTellTheLimitAlsoThoseThatComeLater) {
  const ManualClock clock(1'000'000);
  ServerOptions options;
  options.gate = gate({.addresses = {.per_minute = 3}}, clock);
  TestServer server(options);
  HttpClient client(server.port());
  const auto first = client.get("/hello");
  EXPECT_EQ(first.header("ratelimit-limit"), "3");
  EXPECT_EQ(first.header("ratelimit-remaining"), "2");
  EXPECT_EQ(first.header("ratelimit-reset"), "20");
  client.send_raw("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  server.parked.take()(renders_text("late"));
  EXPECT_EQ(client.read_reply().header("ratelimit-remaining"), "1");
  EXPECT_EQ(client.get("/hello").status, 200);
  const auto refused = client.get("/hello");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("ratelimit-remaining"), "0");
  EXPECT_EQ(refused.header("retry-after"), "20");
  EXPECT_EQ(server.rejected("rate"), 1);
}

TEST(ServerGate, WithoutAGateNothingIsTold) {
  TestServer server;
  EXPECT_EQ(HttpClient(server.port()).get("/hello").header("ratelimit-limit"), "");
}

TEST(ServerGate, HandlersSeeTheClientBehindATrustedProxy) {
  const SystemClock clock;
  ServerOptions options;
  GateOptions rules;
  rules.trusted_proxies = {AddressRange::parse("127.0.0.0/8").value()};
  options.gate = gate(rules, clock);
  TestServer server(options);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/users/x", {{"X-Forwarded-For", "1.1.1.1, 192.0.2.7"}}).body,
            "x /users/x 192.0.2.7 -");
  EXPECT_EQ(client.get("/users/x").body, "x /users/x 127.0.0.1 -") << "of each request anew";
}

TEST(ServerGate, PagesOfNamedOriginsMayReadAnswersAndAskBefore) {
  const SystemClock clock;
  ServerOptions options;
  GateOptions rules;
  rules.cors_origins = {"https://shop.example"};
  options.gate = gate(rules, clock);
  TestServer server(options);
  HttpClient client(server.port());
  const auto read = client.get("/hello", {{"Origin", "https://shop.example"}});
  EXPECT_EQ(read.header("access-control-allow-origin"), "https://shop.example");
  EXPECT_EQ(client.get("/hello").header("access-control-allow-origin"), "");
  EXPECT_EQ(client.get("/nothing", {{"Origin", "https://shop.example"}})
                .header("access-control-allow-origin"),
            "https://shop.example")
      << "failures can be read, too";
  const auto preflight = client.request(
      "OPTIONS", "/echo",
      {{"Origin", "https://shop.example"}, {"Access-Control-Request-Method", "PUT"}}, "");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_NE(preflight.header("access-control-allow-methods").find("PUT"), std::string::npos);
  EXPECT_EQ(preflight.header("access-control-max-age"), "600");
}

}  // namespace
}  // namespace millrace::serving
