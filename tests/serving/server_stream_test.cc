#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serving/http/server.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

namespace millrace::serving {
namespace {

using std::chrono::milliseconds;

// What a test gives piece by piece, and sees of the server's asking.
struct Source {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<BodyStream::Give> asked;
  std::atomic<int> asks{0};
  std::atomic<int> alive{0};
  std::atomic<bool> stopped{false};

  // Waits until the server asks, and gives.
  bool give(std::optional<std::string> piece) {
    BodyStream::Give give;
    {
      std::unique_lock lock(mutex);
      if (!changed.wait_for(lock, std::chrono::seconds(10), [this] { return !asked.empty(); })) {
        return false;
      }
      give = std::move(asked.front());
      asked.clear();
    }
    give(std::move(piece));
    return true;
  }
};

class SourceStream : public BodyStream {
 public:
  explicit SourceStream(Source& source) : source_(source) { ++source_.alive; }
  ~SourceStream() override { --source_.alive; }
  void next(Give give) override {
    const std::lock_guard lock(source_.mutex);
    source_.asked.push_back(std::move(give));
    ++source_.asks;
    source_.changed.notify_all();
  }
  void stop() override {
    source_.stopped = true;
    source_.give("");
  }

 private:
  Source& source_;
};

// `pieces` at once, from within next().
class Ready : public BodyStream {
 public:
  Ready(std::string piece, int pieces) : piece_(std::move(piece)), left_(pieces) {}
  void next(Give give) override { give(left_-- > 0 ? piece_ : std::string()); }

 private:
  const std::string piece_;
  int left_;
};

class ServerStream : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.threads = 2;
    const auto add = [this](const char* pattern, std::optional<std::uint64_t> length,
                            std::function<std::shared_ptr<BodyStream>()> make) {
      return Route{"GET", pattern, Policy::kPublic,
                   [length, make = std::move(make)](const Request&) -> Answer {
                     Reply reply;
                     reply.content_type = "text/plain";
                     reply.headers = {{"ETag", "\"1\""}};
                     reply.stream = make();
                     reply.length = length;
                     return reply;
                   }};
    };
    std::vector<Route> routes;
    const auto given = [this] { return std::make_shared<SourceStream>(source_); };
    routes.push_back(add("/chunks", std::nullopt, given));
    routes.push_back(add("/ten", 10, given));
    routes.push_back(add("/none", 0, [] { return std::make_shared<Ready>("", 0); }));
    routes.push_back(add("/large", std::nullopt,
                         [] { return std::make_shared<Ready>(std::string(65'536, 'x'), 512); }));
    routes.push_back(Route{"GET", "/hello", Policy::kPublic, [](const Request&) -> Answer {
                             Reply reply;
                             reply.body = "hello";
                             return reply;
                           }});
    auto started = Server::start(std::move(options), Router(std::move(routes)), metrics_, clock_);
    ASSERT_TRUE(started.has_value());
    server_ = *std::move(started);
  }
  static std::string get(const std::string& target, const std::string& more = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n";
  }

  Source source_;
  Metrics metrics_;
  ManualClock clock_{784'111'777'000};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerStream, UnknownLengthComesInChunksAndTheConnectionGoesOn) {
  start();
  HttpClient client(server_->port());
  client.send_raw(get("/chunks", "Accept-Encoding: gzip\r\n") + get("/hello"));
  EXPECT_TRUE(source_.give("one"));
  EXPECT_TRUE(source_.give(std::string(70'000, 'o')));
  EXPECT_TRUE(source_.give(""));
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.header("transfer-encoding"), "chunked");
  EXPECT_EQ(reply.header("content-length"), "");
  EXPECT_EQ(reply.header("content-encoding"), "");
  EXPECT_EQ(reply.body, "one" + std::string(70'000, 'o'));
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_EQ(client.get("/hello").body, "hello");
  EXPECT_EQ(source_.alive, 0);
}

TEST_F(ServerStream, KnownLengthIsTold) {
  start();
  HttpClient client(server_->port());
  client.send_raw(get("/ten"));
  EXPECT_TRUE(source_.give("12345"));
  EXPECT_TRUE(source_.give("67890"));
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.header("content-length"), "10");
  EXPECT_EQ(reply.header("transfer-encoding"), "");
  EXPECT_EQ(reply.body, "1234567890");
  EXPECT_EQ(client.get("/none").header("content-length"), "0");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST_F(ServerStream, HeadAndNotModifiedAskForNothing) {
  start();
  HttpClient client(server_->port());
  EXPECT_EQ(client.head("/ten").header("content-length"), "10");
  EXPECT_EQ(client.get("/ten", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(client.get("/hello").body, "hello");
  EXPECT_EQ(source_.asks, 0);
  EXPECT_EQ(source_.alive, 0);
}

TEST_F(ServerStream, OldClientsReadToTheEnd) {
  start();
  HttpClient client(server_->port());
  client.send_raw("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(source_.give("all of it"));
  EXPECT_TRUE(source_.give(""));
  const auto all = client.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\nall of it")) << all;
  EXPECT_EQ(all.find("chunked"), std::string::npos) << all;
}

// What is not whole does not end as if it were.
TEST_F(ServerStream, ABodyThatCannotBeHadClosesTheConnection) {
  start();
  const std::vector<std::pair<std::string, std::optional<std::string>>> broken = {
      {"/chunks", std::nullopt}, {"/ten", ""}, {"/ten", "12345678901"}};
  for (const auto& [target, piece] : broken) {
    HttpClient client(server_->port());
    client.send_raw(get(target));
    EXPECT_TRUE(source_.give(piece));
    const auto all = client.read_to_end();
    EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
    EXPECT_EQ(all.find("\r\n0\r\n"), std::string::npos) << all;
  }
}

TEST_F(ServerStream, ASlowClientHoldsOnePiece) {
  start();
  HttpClient client(server_->port());
  client.send_raw(get("/large"));
  EXPECT_EQ(client.read_reply().body.size(), 512u * 65'536u);
  client.send_raw(get("/chunks"));
  EXPECT_TRUE(source_.give(std::string(30'000'000, 'x')));
  HttpClient other(server_->port());
  EXPECT_EQ(other.get("/hello").body, "hello");
  EXPECT_EQ(source_.asks, 1);
}

TEST_F(ServerStream, LetsGoWhenTheClientLeaves) {
  start();
  auto client = std::make_unique<HttpClient>(server_->port());
  client->send_raw(get("/chunks"));
  EXPECT_TRUE(eventually([&] { return source_.asks == 1; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return source_.alive == 0; }));
  EXPECT_TRUE(source_.give("too late"));
}

TEST_F(ServerStream, APieceThatDoesNotComeEndsIt) {
  ServerOptions options;
  options.stream_deadline = milliseconds(50);
  start(options);
  HttpClient client(server_->port());
  client.send_raw(get("/chunks"));
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\n"));
  EXPECT_EQ(source_.alive, 0);
}

TEST_F(ServerStream, StoppingEndsWhatHasNoEnd) {
  start();
  HttpClient client(server_->port());
  client.send_raw(get("/chunks"));
  EXPECT_TRUE(source_.give("one"));
  EXPECT_TRUE(eventually([&] { return source_.asks == 2; }));
  server_->stop();
  EXPECT_TRUE(source_.stopped);
  EXPECT_EQ(client.read_reply().body, "one");
}

}  // namespace
}  // namespace millrace::serving
