#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/serving/live_world.h"
#include "tests/support/temp_dir.h"

namespace millrace::serving {
namespace {

// The protocol, tickets and origins.
class LiveSocket : public LiveWorld {};

TEST_F(LiveSocket, OnlyARealHandshakeSwitches) {
  start();
  const auto try_with = [&](const char* name, const char* value) {
    auto headers = bearer_of(admin_.token);
    headers.emplace_back(name, value);
    return WebSocketClient(server_->port(), "/v1/live", headers).reply();
  };
  const auto old = try_with("Sec-WebSocket-Version", "8");
  EXPECT_EQ(old.status, 426);
  EXPECT_EQ(old.header("sec-websocket-version"), "13");
  EXPECT_EQ(old.header("upgrade"), "websocket");
  EXPECT_EQ(try_with("Sec-WebSocket-Key", "short").status, 400);
  EXPECT_EQ(try_with("Connection", "close").status, 400);
  HttpClient early(server_->port());
  early.send_raw(socket_request("/v1/live", bearer_of(admin_.token)) + "frame");
  EXPECT_EQ(early.read_reply().status, 400) << "what follows must wait for the answer";
  HttpClient ancient(server_->port());
  auto request = socket_request("/v1/live", bearer_of(admin_.token));
  ancient.send_raw(request.replace(request.find("1.1"), 3, "1.0"));
  EXPECT_EQ(ancient.read_reply().status, 400);
  EXPECT_TRUE(eventually([&] { return metric("live_listeners") == 0; }));
}

TEST_F(LiveSocket, APageOfAnotherOriginMayNotConnect) {
  TestNode::Options options;
  options.gate.cors_origins = {"https://shop.example"};
  start(std::move(options));
  const auto from = [&](const char* origin) {
    auto headers = bearer_of(admin_.token);
    headers.emplace_back("Origin", origin);
    return WebSocketClient(server_->port(), "/v1/live", headers).status();
  };
  EXPECT_EQ(from("https://shop.example"), 101);
  EXPECT_EQ(from("http://localhost"), 101) << "the server's own pages";
  EXPECT_EQ(from("https://evil.example"), 403);
  EXPECT_EQ(from("https://localhost.evil.example"), 403);
  EXPECT_EQ(from("null"), 403);
}

TEST_F(LiveSocket, AnswersPingsTakesPiecesAndSaysGoodbye) {
  start();
  auto socket = listen("?user=ann", admin_.token);
  socket.send(Opcode::kPing, "hi");
  const auto pong = socket.frame();
  EXPECT_EQ(pong.opcode, Opcode::kPong);
  EXPECT_EQ(pong.payload, "hi");
  socket.send(Opcode::kText, R"({"user":)", false);
  socket.send(Opcode::kPing, "between");
  socket.send(Opcode::kMore, R"("bob"})");
  EXPECT_EQ(socket.frame().opcode, Opcode::kPong);
  EXPECT_EQ(at(socket.text(), "event"), "listening");
  event("like", "bob", "movie:1");
  EXPECT_EQ(at(socket.text(), "user"), "bob");
  socket.send(Opcode::kClose, std::string("\x03\xe8", 2));
  EXPECT_EQ(socket.frame().code(), 1000);
  EXPECT_TRUE(socket.closed());
  EXPECT_TRUE(
      eventually([&] { return metric("live_listeners") == 0 && metric("http_connections") == 0; }));
}

TEST_F(LiveSocket, WhatBreaksTheProtocolIsClosed) {
  LiveOptions live;
  live.message_bytes = 200;
  start(with(live));
  const auto close_after = [&](Opcode opcode, const std::string& payload, bool masked = true) {
    auto socket = listen("", admin_.token);
    socket.send(opcode, payload, true, masked);
    return socket.text();
  };
  EXPECT_EQ(close_after(Opcode::kText, "{\"user\":\"" + std::string(200, 'a') + "\"}"),
            "closed 1009");
  EXPECT_EQ(close_after(Opcode::kBinary, "{}"), "closed 1003");
  EXPECT_EQ(close_after(Opcode::kText, "{}", false), "closed 1002") << "not masked";
  EXPECT_EQ(close_after(Opcode::kText, "\xff\xfe"), "closed 1007") << "not UTF-8";
  EXPECT_EQ(close_after(Opcode::kMore, "{}"), "closed 1002") << "goes on with nothing";
  EXPECT_EQ(close_after(static_cast<Opcode>(3), "{}"), "closed 1002");
  EXPECT_EQ(close_after(Opcode::kPing, std::string(126, 'p')), "closed 1002");
  auto good = listen("", admin_.token);
  good.send(Opcode::kText, R"({"user":")" + std::string(150, 'a') + "\"}");
  EXPECT_EQ(at(good.text(), "event"), "listening");
}

TEST_F(LiveSocket, SilenceIsAskedAndThenCutOff) {
  LiveOptions live;
  live.heartbeat_ms = 100;
  start(with(live));
  auto socket = listen("", admin_.token);
  const auto events = stream("?user=nobody", bearer_of(admin_.token));
  EXPECT_EQ(socket.frame().opcode, Opcode::kPing);
  EXPECT_EQ(socket.frame().opcode, Opcode::kClose) << "no pong came";
  EXPECT_EQ(lines(*events), ":\n\n");
  EXPECT_EQ(lines(*events), ":\n\n");
  EXPECT_TRUE(eventually([&] { return metric("live_listeners") == 1; }));
}

TEST_F(LiveSocket, GoesThroughTls) {
  const TempDir dir;
  const auto made = make_certificate(dir.path(), "live.example");
  ServerOptions options;
  options.tls = {made.certificate, made.key};
  start({}, std::move(options));
  WebSocketClient socket(std::make_unique<TlsClient>(server_->port()), "/v1/live",
                         bearer_of(admin_.token));
  ASSERT_EQ(socket.status(), 101);
  EXPECT_EQ(at(socket.text(), "event"), "listening");
  event("like", "ann", "movie:1");
  EXPECT_EQ(at(socket.text(), "user"), "ann");
  server_->stop();
  EXPECT_EQ(socket.text(), "closed 1001");
}

TEST_F(LiveSocket, ATicketOpensOnceForItsOwner) {
  start();
  const auto ann = enter(*node_, "ann");
  const auto once = ticket(ann);
  WebSocketClient socket(server_->port(), "/v1/live?ticket=" + once);
  ASSERT_EQ(socket.status(), 101) << socket.reply().body;
  socket.text();
  event("like", "someone", "movie:1");
  event("like", ann.id, "movie:1");
  EXPECT_EQ(at(socket.text(), "user"), ann.id);
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live?ticket=" + once).status, 401) << "used";
  EXPECT_EQ(client.get("/v1/live?ticket=").status, 401);
  EXPECT_EQ(client.get("/v1/live?ticket=1.2.3.4").status, 401);
  auto forged = ticket(ann);
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(client.get("/v1/live?ticket=" + forged).status, 401);
  // Its parts may not be changed either: another token's number, a later end.
  const auto other = ticket(ann);
  EXPECT_EQ(client.get("/v1/live?ticket=1" + other).status, 401);
  EXPECT_EQ(client.get("/v1/live?ticket=" + other + "&user=someone").status, 403);
  stream("?ticket=" + ticket(ann));
  EXPECT_NE(greeting_.find("listening"), std::string::npos);
}

TEST_F(LiveSocket, ATicketEndsWithItsTimeAndItsToken) {
  start();
  const auto ann = enter(*node_, "ann");
  const auto late = ticket(ann);
  node_->clock().advance(30'000);
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live?ticket=" + late).status, 401);
  const auto revoked = ticket(ann);
  EXPECT_EQ(node_->call("DELETE", "/api/users/" + ann.id + "/", {}, admin_.as()).status() / 100, 2);
  EXPECT_EQ(client.get("/v1/live?ticket=" + revoked).status, 401);
}

TEST_F(LiveSocket, TicketsUsedAreCounted) {
  LiveOptions live;
  live.tickets = 2;
  start(with(live));
  for (int i = 0; i < 2; ++i) stream("?ticket=" + ticket(admin_));
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live?ticket=" + ticket(admin_)).status, 429);
  node_->clock().advance(30'000);
  stream("?ticket=" + ticket(admin_));
}

TEST_F(LiveSocket, AnyNodeTakesATicketOnce) {
  start();
  const auto ann = enter(*node_, "ann");
  const auto accounts = node_->engine().catalog().accounts();
  LiveTickets here(30'000, 10), there(30'000, 10);
  Caller caller;
  caller.account = AccountId(std::stoull(ann.id));
  caller.token = accounts->tokens_of(caller.account).front()->id;
  const auto made = here.issue(caller, *accounts, 1'000);
  EXPECT_EQ(made.expires, 31'000);
  const auto known = there.redeem(made.text, *accounts, 2'000);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->account, caller.account);
  EXPECT_EQ(there.redeem(made.text, *accounts, 2'000).error().code, Code::kUnauthorized);
}

}  // namespace
}  // namespace millrace::serving
