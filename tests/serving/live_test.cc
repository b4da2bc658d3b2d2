#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/serving/live_world.h"

namespace millrace::serving {
namespace {

// Who hears what, and of whom.
class Live : public LiveWorld {};

TEST_F(Live, SocketHearsWhatWasAppliedAndCarriesWhatTheEventDid) {
  start();
  auto socket = listen("", admin_.token);
  EXPECT_EQ(at(greeting_, "event"), "listening");
  EXPECT_EQ(socket.reply().header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  event("rate", "ann", "movie:1", R"(,"value":4.5,"mood":"calm","session":"s1")", "e1");
  const auto message = json(socket.text());
  const std::vector<std::pair<const char*, const char*>> wanted = {
      {"event", "interaction"}, {"id", "e1"},        {"source", "test"}, {"type", "rate"},
      {"user", "ann"},          {"item", "movie:1"}, {"kind", "movie"},  {"value", "4.5"},
      {"mood", "calm"},         {"session", "s1"}};
  for (const auto& [name, value] : wanted) {
    ASSERT_NE(message.find(name), nullptr) << name;
    EXPECT_EQ(message.find(name)->text, value) << name;
  }
  EXPECT_TRUE(message.find("time")->text.ends_with("Z"));
  const auto position = Position::parse(message.find("position")->text);
  ASSERT_TRUE(position);
  EXPECT_TRUE(node_->engine().publisher().reached(*position));
}

TEST_F(Live, EventStreamHearsTheSame) {
  start();
  auto headers = bearer_of(admin_.token);
  headers.emplace_back("Accept-Encoding", "gzip");
  const auto client = stream("?type=like", headers);
  EXPECT_NE(head_.find("Content-Type: text/event-stream\r\n"), std::string::npos) << head_;
  EXPECT_NE(head_.find("X-Accel-Buffering: no\r\n"), std::string::npos);
  EXPECT_EQ(head_.find("Content-Encoding"), std::string::npos);
  EXPECT_TRUE(greeting_.find("event: listening\ndata: {") != std::string::npos) << greeting_;
  event("like", "ann", "movie:1", {}, "e1");
  const auto message = lines(*client);
  EXPECT_TRUE(message.starts_with("id: i")) << message;
  EXPECT_NE(message.find("\nevent: interaction\ndata: {\"event\":\"interaction\","),
            std::string::npos);
  EXPECT_NE(message.find("\"id\":\"e1\""), std::string::npos);
  EXPECT_TRUE(message.ends_with("}\n\n"));
  HttpClient head(server_->port());
  EXPECT_EQ(head.head("/v1/live", bearer_of(admin_.token)).status, 200);
}

TEST_F(Live, FiltersAreJoinedAndTheirValuesAreAlternatives) {
  start();
  put(R"({"id":"product:1","kind":"product","title":"Thing"})");
  struct Case {
    const char* query;
    std::set<std::string> hears;
  };
  const std::vector<Case> cases = {
      {"", {"1", "2", "3", "4"}},
      {"?user=ann", {"1", "2"}},
      {"?user=ann&user=bob", {"1", "2", "3"}},
      {"?item=product:1", {"2", "3"}},
      {"?user=ann&item=product:1", {"2"}},
      {"?type=like", {"1", "3", "4"}},
      {"?type=like&type=save", {"1", "2", "3", "4"}},
      {"?kind=movie", {"1"}},
      {"?kind=product&type=like", {"3"}},
      {"?item=movie:1&kind=product", {}},
      {"?item=nowhere:9", {"4"}},
      {"?user=nobody", {}},
  };
  std::vector<WebSocketClient> sockets;
  for (const auto& each : cases) sockets.push_back(listen(each.query, admin_.token));
  event("like", "ann", "movie:1", {}, "1");
  event("save", "ann", "product:1", {}, "2");
  event("like", "bob", "product:1", {}, "3");
  event("like", "cy", "nowhere:9", {}, "4");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::set<std::string> heard;
    for (std::size_t n = 0; n < cases[i].hears.size(); ++n)
      heard.insert(at(sockets[i].text(), "id"));
    EXPECT_EQ(heard, cases[i].hears) << cases[i].query;
    sockets[i].send(Opcode::kPing, "is there more?");
    EXPECT_EQ(sockets[i].frame().opcode, Opcode::kPong) << cases[i].query << " hears more";
  }
}

TEST_F(Live, RepeatsAndDeadLettersAreNotHeard) {
  start();
  auto socket = listen("", admin_.token);
  event("like", "ann", "movie:1", {}, "same");
  EXPECT_EQ(at(socket.text(), "id"), "same");
  // As a client's resend that the acceptor did not know any more: straight into the log.
  for (std::uint16_t p = 0; p < 3; ++p) {
    const auto records = node_->log().read({Topic::kInteractions, p}, 0, 100, 1u << 20);
    for (const auto& record : *records) {
      if (record.bytes.find("same") == std::string::npos) continue;
      ASSERT_TRUE(node_->log().append_and_wait({{{Topic::kInteractions, p}, "ann", record.bytes}}));
    }
    ASSERT_TRUE(node_->log().append_and_wait({{{Topic::kInteractions, p}, "ann", "no record"}}));
  }
  event("like", "ann", "movie:1", {}, "last");
  EXPECT_EQ(at(socket.text(), "id"), "last");
}

TEST_F(Live, AnAccountHearsOfItselfAlone) {
  start();
  const auto ann = enter(*node_, "ann");
  const auto bob = enter(*node_, "bob");
  auto socket = listen("", ann.token);
  const auto events = stream("?user=" + ann.id, bearer_of(ann.token));
  event("like", bob.id, "movie:1", {}, "his");
  event("like", ann.id, "movie:1", {}, "hers");
  EXPECT_EQ(at(socket.text(), "id"), "hers");
  EXPECT_NE(lines(*events).find("\"id\":\"hers\""), std::string::npos);
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live?user=" + bob.id, bearer_of(ann.token)).status, 403);
  EXPECT_EQ(client.get("/v1/live?user=" + ann.id + "&user=" + bob.id, bearer_of(ann.token)).status,
            403);
}

TEST_F(Live, WhoMayListen) {
  start();
  const auto read = key("read"), ingest = key("ingest");
  HttpClient client(server_->port());
  EXPECT_EQ(client.get("/v1/live").status, 401);
  EXPECT_EQ(client.get("/v1/live", bearer_of("no token")).status, 401);
  EXPECT_EQ(client.get("/v1/live", bearer_of(ingest)).status, 403);
  EXPECT_EQ(client.post("/v1/live/tickets", "", bearer_of(ingest)).status, 403);
  EXPECT_EQ(client.post("/v1/live/tickets", "").status, 401);
  EXPECT_EQ(WebSocketClient(server_->port(), "/v1/live").status(), 401);
  auto socket = listen("?user=ann", read);
  event("like", "ann", "movie:1", {}, "e1");
  EXPECT_EQ(at(socket.text(), "id"), "e1");
}

TEST_F(Live, BadFiltersNameTheirField) {
  start();
  HttpClient client(server_->port());
  std::string many = "?user=0";
  for (int i = 1; i <= 100; ++i) many += "&user=" + std::to_string(i);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"?type=nonsense", "type"}, {"?type=", "type"},      {"?kind=Not%20a%20kind", "kind"},
      {"?user=", "user"},         {"?item=a%00b", "item"}, {many, "user"},
      {"?after=nowhere", "after"}};
  for (const auto& [query, field] : cases) {
    const auto reply = client.get("/v1/live" + query, bearer_of(admin_.token));
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(at(reply.body, "field"), field) << reply.body;
    EXPECT_EQ(
        WebSocketClient(server_->port(), "/v1/live" + query, bearer_of(admin_.token)).status(),
        400);
  }
  auto headers = bearer_of(admin_.token);
  headers.emplace_back("Last-Event-ID", "x");
  EXPECT_EQ(at(client.get("/v1/live", headers).body, "field"), "Last-Event-ID");
  EXPECT_EQ(metric("live_listeners"), 0);
}

TEST_F(Live, TheGreetingSaysWhereItBeganAndWhatMayBeMissing) {
  start();
  auto first = listen("?user=ann", admin_.token);
  const auto begin = Position::parse(at(greeting_, "position"));
  ASSERT_TRUE(begin);
  event("like", "ann", "movie:1");
  const auto last = at(first.text(), "position");
  const auto one = Position::parse(last)->at().begin();
  ASSERT_TRUE(begin->at().contains(one->first));
  EXPECT_EQ(begin->at().at(one->first), one->second - 1) << "the event before the first heard";

  auto again = listen("?user=ann&after=" + last, admin_.token);
  EXPECT_EQ(at(greeting_, "after"), last);
  EXPECT_EQ(at(greeting_, "missed_at_most"), "0");
  event("like", "ann", "movie:2");
  event("like", "ann", "movie:3");
  EXPECT_EQ(at(again.text(), "event"), "interaction");
  EXPECT_EQ(at(again.text(), "event"), "interaction");
  auto headers = bearer_of(admin_.token);
  headers.emplace_back("Last-Event-ID", last);
  stream("?user=ann", headers);
  EXPECT_NE(greeting_.find("\"missed_at_most\":2"), std::string::npos) << greeting_;
}

TEST_F(Live, AListenerChangesItsFilterByAMessage) {
  start();
  auto socket = listen("?user=ann", admin_.token);
  socket.send(Opcode::kText, R"({"user":["bob","cy"],"type":"like"})");
  EXPECT_EQ(at(socket.text(), "event"), "listening");
  event("like", "ann", "movie:1", {}, "1");
  event("save", "bob", "movie:1", {}, "2");
  event("like", "cy", "movie:1", {}, "3");
  EXPECT_EQ(at(socket.text(), "id"), "3");
  for (const char* bad : {"no json", R"({"type":"nonsense"})", R"({"user":true})", "[]"}) {
    auto other = listen("", admin_.token);
    other.send(Opcode::kText, bad);
    EXPECT_EQ(other.text(), "closed 4400") << bad;
  }
  const auto ann = enter(*node_, "ann");
  auto hers = listen("", ann.token);
  hers.send(Opcode::kText, R"({"user":"bob"})");
  EXPECT_EQ(hers.text(), "closed 4400") << "others' events are not to be had by a message either";
}

TEST_F(Live, EverythingIsOpenBeforeThereIsAnAccount) {
  TestNode open;
  const auto made = open.call("POST", "/v1/live/tickets");
  ASSERT_EQ(made.status(), 201) << made.body();
  ServerOptions options;
  options.authorize = authorize_with(open.deps());
  auto server =
      Server::start(std::move(options), Router(open.routes()), open.metrics(), open.clock());
  ASSERT_TRUE(server);
  WebSocketClient socket((*server)->port(), "/v1/live?ticket=" + made.at("ticket"));
  ASSERT_EQ(socket.status(), 101) << socket.reply().body;
  EXPECT_EQ(at(socket.text(), "event"), "listening");
  open.event("like", "ann", "movie:1");
  EXPECT_EQ(at(socket.text(), "user"), "ann");
  enter(open, "root", Role::kAdmin);
  EXPECT_EQ(socket.text(), "closed 4401") << "from then on nothing is open any more";
}

}  // namespace
}  // namespace millrace::serving
