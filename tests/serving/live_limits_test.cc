#include <gtest/gtest.h>

#include <future>
#include <map>
#include <string>
#include <vector>

#include "tests/serving/live_world.h"

namespace millrace::serving {
namespace {

// Limits, slow listeners and ends.
class LiveLimits : public LiveWorld {
 protected:
  // So many events of `user`, in one request, visible when it returns.
  void events(const std::string& user, int count) {
    std::string body = "[";
    for (int i = 0; i < count; ++i) {
      if (i > 0) body += ",";
      body += R"({"type":"view","data":{"user":")" + user + R"(","item":"movie:1","notes":")" +
              std::string(1'000, 'n') + "\"}}";
    }
    const auto reply = node_->call("POST", "/v1/events?wait=applied", body + "]", admin_.as());
    ASSERT_EQ(reply.at("accepted"), std::to_string(count)) << reply.body().substr(0, 300);
  }
  Metrics metrics_;  // of listeners without a node
};

TEST_F(LiveLimits, ThereAreSoManyListenersInAllAndOfAnAccount) {
  LiveOptions live;
  live.listeners = 3;
  live.listeners_per_account = 2;
  start(with(live));
  const auto ann = enter(*node_, "ann");
  auto first = listen("", admin_.token);
  auto second = listen("", admin_.token);
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live", bearer_of(admin_.token)).status, 429);
  auto third = listen("", ann.token);
  const auto full = client.get("/v1/live", bearer_of(ann.token));
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.header("retry-after"), "1");
  EXPECT_EQ(metric("live_listeners"), 3);
  first.leave();
  ASSERT_TRUE(eventually([&] { return metric("live_listeners") == 2; }));
  listen("", admin_.token);
}

TEST_F(LiveLimits, AConnectionOfAListenerCountsAsOneAndItsHandshakeAsARequest) {
  TestNode::Options options;
  options.gate.addresses.per_minute = 3;
  start(std::move(options));
  auto socket = listen("", admin_.token);
  EXPECT_EQ(metric("http_connections"), 1);
  EXPECT_EQ(metric("http_requests_total{code=\"101\",route=\"/v1/live\"}"), 1);
  EXPECT_EQ(socket.reply().header("ratelimit-limit"), "3");
  EXPECT_FALSE(socket.reply().header("x-request-id").empty());
  auto second = listen("", admin_.token);
  auto third = listen("", admin_.token);
  EXPECT_EQ(WebSocketClient(server_->port(), "/v1/live", bearer_of(admin_.token)).status(), 429);
}

TEST_F(LiveLimits, WhoDoesNotReadLosesMessagesWithACountAndHoldsUpNobody) {
  LiveOptions live;
  live.queue.messages = 50;
  live.slow_ms = 60'000;
  start(with(live));
  constexpr int kEvents = 3'000;
  auto slow = listen("?user=busy", admin_.token);
  const auto slow_events = stream("?user=busy", bearer_of(admin_.token));
  auto reader = listen("?user=busy&type=view", admin_.token);
  for (int i = 0; i < kEvents / 30; ++i) {
    events("busy", 30);
    for (int n = 0; n < 30; ++n) ASSERT_EQ(at(reader.text(), "event"), "interaction");
  }
  // Now the slow ones read: what they hear and what was dropped is all there was.
  std::map<std::string, int> sum;
  for (int heard = 0; heard + sum["dropped"] < kEvents;) {
    const auto message = slow.text();
    ASSERT_FALSE(message.starts_with("closed")) << message;
    if (at(message, "event") == "dropped") {
      sum["dropped"] += std::stoi(at(message, "count"));
      EXPECT_EQ(at(message, "unseen"), "0");
    } else {
      ++heard;
    }
  }
  EXPECT_GT(sum["dropped"], 1'000) << "the kernel holds little, and we 50";
  EXPECT_GE(metric("live_messages_dropped_total"), sum["dropped"]);
  EXPECT_EQ(metric("live_slow_closes_total"), 0);
}

TEST_F(LiveLimits, BytesBoundAQueueToo) {
  LiveOptions live;
  live.queue.bytes = 16 * 1024;
  LiveListener listener(LiveForm::kSocket, {}, live.queue,
                        {metrics_.counter("sent", ""), metrics_.counter("dropped", "")});
  auto message = std::make_shared<LiveMessage>();
  message->json = std::string(4'000, 'x');
  for (int i = 0; i < 10; ++i) listener.push(message);
  std::vector<std::string> got;
  for (int i = 0; i < 5; ++i) {
    listener.next([&](LiveListener::Piece piece) { got.push_back(std::move(piece.bytes)); });
  }
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(got[3], message->json);
  EXPECT_EQ(got[4], R"({"event":"dropped","count":6,"unseen":0})");
  listener.push(message);
  listener.next([&](LiveListener::Piece piece) { got.push_back(std::move(piece.bytes)); });
  EXPECT_EQ(got.back(), message->json) << "and goes on behind the gap";
}

TEST_F(LiveLimits, WhoHasJustComeIsNotSlow) {
  LiveListener listener(LiveForm::kSocket, {}, {},
                        {metrics_.counter("sent", ""), metrics_.counter("dropped", "")});
  listener.push(std::make_shared<LiveMessage>());
  const auto now = steady_micros();
  EXPECT_FALSE(listener.stalled(now, 60'000'000));
  EXPECT_TRUE(listener.stalled(now + 61'000'000, 60'000'000));
  listener.next([](const LiveListener::Piece&) {});
  EXPECT_FALSE(listener.stalled(now + 61'000'000, 60'000'000)) << "nothing waits";
}

TEST_F(LiveLimits, ThePlaceOfAGapIsWhereItIs) {
  LiveListener listener(LiveForm::kSocket, {}, {2, 1u << 20},
                        {metrics_.counter("sent", ""), metrics_.counter("dropped", "")});
  const auto push = [&](const char* json) {
    auto message = std::make_shared<LiveMessage>();
    message->json = json;
    listener.push(message);
  };
  std::string got;
  const auto take = [&] {
    listener.next([&](LiveListener::Piece piece) { got += piece.bytes + " "; });
  };
  push("1");
  push("2");
  push("3");
  take();
  push("4");
  listener.miss(7);
  take();
  take();
  take();
  EXPECT_EQ(got, R"(1 2 {"event":"dropped","count":1,"unseen":0} 4 )");
  take();
  EXPECT_TRUE(got.ends_with(R"({"event":"dropped","count":0,"unseen":7} )")) << got;
}

TEST_F(LiveLimits, WhoTakesNothingForTooLongIsClosed) {
  LiveOptions live;
  live.queue.messages = 50;
  live.slow_ms = 300;
  ServerOptions server;
  server.write_deadline = std::chrono::milliseconds(1'000);
  start(with(live), std::move(server));
  auto socket = listen("?user=busy", admin_.token);
  for (int i = 0; i < 100; ++i) events("busy", 30);
  EXPECT_TRUE(eventually([&] { return metric("live_slow_closes_total") == 1; }));
  EXPECT_TRUE(eventually([&] { return metric("live_listeners") == 0; }))
      << "it does not even take the goodbye";
  EXPECT_EQ(metric("http_rejected_total{reason=\"slow_reader\"}"), 1);
  std::string last;
  while (!last.starts_with("closed")) last = socket.text();
}

TEST_F(LiveLimits, WhatNobodyHadTimeToCompareIsSaid) {
  LiveOptions live;
  live.backlog_bytes = 20'000;
  start(with(live));
  auto socket = listen("?user=someone", admin_.token);
  events("busy", 30);
  const auto notice = socket.text();
  EXPECT_EQ(at(notice, "event"), "dropped") << notice;
  EXPECT_EQ(at(notice, "count"), "0");
  EXPECT_EQ(at(notice, "unseen"), "30");
  EXPECT_EQ(metric("live_events_missed_total"), 30);
  event("like", "someone", "movie:1", {}, "after");
  EXPECT_EQ(at(socket.text(), "id"), "after");
}

TEST_F(LiveLimits, ARevokedTokenEndsItsListeners) {
  start();
  const auto ann = enter(*node_, "ann");
  auto hers = listen("", ann.token);
  const auto events = stream("", bearer_of(ann.token));
  auto other = listen("", admin_.token);
  EXPECT_EQ(node_->call("DELETE", "/api/users/" + ann.id + "/", {}, admin_.as()).status() / 100, 2);
  EXPECT_EQ(hers.text(), "closed 4401");
  EXPECT_NE(lines(*events).find(R"({"event":"end","code":4401,)"), std::string::npos);
  EXPECT_EQ(lines(*events), "") << "the body ends";
  event("like", "bob", "movie:1");
  EXPECT_EQ(at(other.text(), "user"), "bob");
  EXPECT_TRUE(eventually([&] { return metric("live_listeners") == 1; }));
}

TEST_F(LiveLimits, AnAdminNoMoreIsEndedToo) {
  start();
  const auto deputy = enter(*node_, "deputy", Role::kAdmin);
  auto socket = listen("", deputy.token);
  const auto changed =
      node_->call("PATCH", "/api/users/" + deputy.id + "/", R"({"role":"user"})", deputy.as());
  ASSERT_EQ(changed.status(), 200) << changed.body();
  EXPECT_EQ(socket.text(), "closed 4401");
}

TEST_F(LiveLimits, AStoppingServerSaysSo) {
  start();
  auto socket = listen("", admin_.token);
  const auto events = stream("", bearer_of(admin_.token));
  auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
  EXPECT_EQ(socket.text(), "closed 1001");
  EXPECT_NE(lines(*events).find(R"("code":1001)"), std::string::npos);
  socket.send(Opcode::kClose, std::string("\x03\xe9", 2));
  stopped.get();
  EXPECT_EQ(metric("http_connections"), 0);
}

// Bar 6 in small: 50 listeners, each on one user, one of which does not read.
TEST_F(LiveLimits, FiftyListenersHearAllOfTheirs) {
  LiveOptions live;
  live.listeners_per_account = 100;
  start(with(live));
  constexpr int kListeners = 50;
  constexpr int kRounds = 40;
  std::vector<WebSocketClient> sockets;
  for (int i = 0; i < kListeners; ++i) {
    sockets.push_back(listen("?user=u" + std::to_string(i), admin_.token));
  }
  for (int round = 0; round < kRounds; ++round) {
    std::string body;
    for (int i = 0; i < 2 * kListeners; ++i) {
      body += std::string(i == 0 ? "[" : ",") + R"({"type":"view","id":"r)" +
              std::to_string(round) + R"(","source":"t","data":{"user":"u)" + std::to_string(i) +
              R"(","item":"movie:1"}})";
    }
    const auto reply = node_->call("POST", "/v1/events", body + "]", admin_.as());
    ASSERT_EQ(reply.at("accepted"), std::to_string(2 * kListeners));
  }
  for (int i = 1; i < kListeners; ++i) {
    for (int round = 0; round < kRounds; ++round) {
      const auto message = json(sockets[static_cast<std::size_t>(i)].text());
      ASSERT_EQ(message.find("user")->text, "u" + std::to_string(i));
      ASSERT_EQ(message.find("id")->text, "r" + std::to_string(round)) << "in order";
    }
  }
  EXPECT_EQ(metric("live_messages_dropped_total"), 0);
}

}  // namespace
}  // namespace millrace::serving
