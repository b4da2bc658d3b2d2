#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "serving/http/server.h"
#include "serving/surfaces/authorize.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/people.h"
#include "tests/support/websocket_client.h"

namespace millrace::serving {

// A node behind a real server, with an admin and a film.
class LiveWorld : public ::testing::Test {
 protected:
  void start(TestNode::Options options = {}, ServerOptions server = {}) {
    node_ = std::make_unique<TestNode>(std::move(options));
    node_->come_from("10.0.0.1");
    admin_ = enter(*node_, "root", Role::kAdmin);
    put(R"({"id":"movie:1","kind":"movie","title":"Film"})");
    server.threads = 2;
    server.authorize = authorize_with(node_->deps());
    server.gate = std::shared_ptr<Gate>(node_->deps().gate, [](Gate*) {});
    auto started =
        Server::start(std::move(server), Router(node_->routes()), node_->metrics(), node_->clock());
    if (!started) throw std::runtime_error(started.error().detail);
    server_ = *std::move(started);
  }
  static TestNode::Options with(const LiveOptions& live) {
    TestNode::Options options;
    options.live = live;
    return options;
  }

  void put(const std::string& item) {
    const auto reply = node_->call("POST", "/v1/items", item, admin_.as());
    ASSERT_EQ(reply.status(), 200) << reply.body();
  }
  // Visible when it returns.
  void event(const std::string& type, const std::string& user, const std::string& item,
             const std::string& more = {}, const std::string& id = {}) {
    const auto reply = node_->call(
        "POST", "/v1/events?wait=applied",
        "{" + (id.empty() ? "" : "\"id\":\"" + id + "\",\"source\":\"test\",") + "\"type\":\"" +
            type + R"(","data":{"user":")" + user + R"(","item":")" + item + "\"" + more + "}}",
        admin_.as());
    ASSERT_EQ(reply.status(), 200) << reply.body();
  }
  std::string key(const std::string& scope) {
    return node_
        ->call("POST", "/v1/admin/keys", R"({"name":"k","scopes":[")" + scope + "\"]}", admin_.as())
        .at("key");
  }
  std::string ticket(const Person& person) {
    const auto reply = node_->call("POST", "/v1/live/tickets", {}, person.as());
    EXPECT_EQ(reply.status(), 201) << reply.body();
    return reply.at("ticket");
  }

  static HttpClient::Headers bearer_of(const std::string& token) {
    return {{"Authorization", "Bearer " + token}};
  }
  // Listening when it returns; its greeting is in greeting_.
  WebSocketClient listen(const std::string& query, const std::string& token) {
    WebSocketClient socket(server_->port(), "/v1/live" + query, bearer_of(token));
    if (socket.status() != 101) throw std::runtime_error(socket.reply().body);
    greeting_ = socket.text();
    return socket;
  }
  // An event stream: its head is read, and its first message.
  std::unique_ptr<HttpClient> stream(const std::string& query, HttpClient::Headers headers = {}) {
    auto client = std::make_unique<HttpClient>(server_->port());
    std::string request = "GET /v1/live" + query + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
    client->send_raw(request + "\r\n");
    head_ = client->read_to("\r\n\r\n");
    if (head_.find("200 OK") == std::string::npos) throw std::runtime_error(head_);
    greeting_ = lines(*client);
    return client;
  }
  // The next message of an event stream, or its comment: a chunk of its own while nobody hurries.
  // Empty: the body ended.
  static std::string lines(HttpClient& client) {
    auto size = client.read_to("\r\n");
    if (size == "\r\n") size = client.read_to("\r\n");  // of the chunk before
    return client.read_exactly(std::stoul(size, nullptr, 16));
  }
  static Json json(const std::string& text) { return parse_json(text).value_or(Json{}); }
  static std::string at(const std::string& text, const char* name) {
    const auto parsed = json(text);
    const auto* found = parsed.find(name);
    return found == nullptr ? "(" + text + ")" : found->text;
  }
  double metric(const std::string& line) {
    const std::string text = "\n" + node_->metrics().text();
    const auto found = text.find("\n" + line + " ");
    return found == std::string::npos ? -1 : std::stod(text.substr(found + line.size() + 2));
  }

  std::unique_ptr<TestNode> node_;
  Person admin_;
  std::unique_ptr<Server> server_;  // stops before the node goes
  std::string greeting_;
  std::string head_;
};

}  // namespace millrace::serving
