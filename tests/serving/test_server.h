#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "serving/http/server.h"
#include "tests/support/eventually.h"

namespace millrace::serving {

// Answers that a test lets go of when it likes. Thread-safe.
class Parked {
 public:
  using Finish = std::function<void(Render)>;

  Later later() {
    return Later{[this](std::function<void(Render)> finish) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(finish));
      changed_.notify_all();
    }};
  }

  // The next one that came; waits for it.
  Finish take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !waiting_.empty(); })) {
      return [](const Render&) {};
    }
    Finish finish = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return finish;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Finish> waiting_;
};

inline Reply text_reply(std::string body) {
  Reply reply;
  reply.content_type = "text/plain";
  reply.body = std::move(body);
  return reply;
}

// Who makes this reply.
inline Reply this_thread() {
  std::ostringstream id;
  id << std::this_thread::get_id();
  return text_reply(id.str());
}

inline Render renders_text(std::string body) {
  return [body = std::move(body)] { return text_reply(body); };
}

// A server on a free port of the loopback with routes to test with:
//   GET /hello, /echo (target and body, any method), /users/{id}, /big (1 MB), /throws, /later
//   (parked), /tagged (ETag "v1"), /json (2 KB), /slow-to-read (32 MB), /thread (who handles it)
class TestServer {
 public:
  explicit TestServer(ServerOptions options = {}) {
    options.threads = options.threads == 0 ? 2 : options.threads;
    auto started = Server::start(std::move(options), Router(routes()), metrics, clock);
    if (!started) throw std::runtime_error(started.error().detail);
    server = *std::move(started);
  }

  std::uint16_t port() const { return server->port(); }

  // The value of a metric's line that begins with `line`; -1 where there is none.
  double metric(const std::string& line) {
    const std::string text = "\n" + metrics.text();
    const std::size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
  double rejected(const std::string& reason) {
    return metric("http_rejected_total{reason=\"" + reason + "\"}");
  }

  Metrics metrics;
  ManualClock clock{784'111'777'000};  // Sun, 06 Nov 1994 08:49:37 GMT
  Parked parked;
  std::unique_ptr<Server> server;  // last: stops before what its handlers use goes

 private:
  std::vector<Route> routes() {
    std::vector<Route> routes;
    const auto add = [&routes](const char* method, const char* pattern, Handler handler) {
      routes.push_back({method, pattern, Policy::kPublic, std::move(handler)});
    };
    add("GET", "/hello", [](const Request&) -> Answer { return text_reply("hello"); });
    const Handler echo = [](const Request& request) -> Answer {
      return text_reply(request.method + " " + request.target + " " + request.body);
    };
    add("GET", "/echo", echo);
    add("POST", "/echo", echo);
    add("PUT", "/echo", echo);
    add("GET", "/users/{id}", [](const Request& request) -> Answer {
      return text_reply(request.params.at("id") + " " + request.path + " " +
                        request.address.text() + " " +
                        std::string(request.query_value("q").value_or("-")));
    });
    add("GET", "/big",
        [](const Request&) -> Answer { return text_reply(std::string(1'000'000, 'b')); });
    add("GET", "/slow-to-read",
        [](const Request&) -> Answer { return text_reply(std::string(32'000'000, 's')); });
    add("GET", "/thread", [](const Request&) -> Answer { return this_thread(); });
    add("GET", "/throws",
        [](const Request&) -> Answer { throw std::runtime_error("thrown on purpose"); });
    add("GET", "/later", [this](const Request&) -> Answer { return parked.later(); });
    add("GET", "/later-throws", [](const Request&) -> Answer {
      return Later{
          [](const std::function<void(Render)>&) { throw std::runtime_error("on purpose"); }};
    });
    add("GET", "/later-at-once", [](const Request&) -> Answer {
      return Later{[](const std::function<void(Render)>& finish) {
        finish(renders_text("at once"));
        finish(renders_text("twice"));
      }};
    });
    add("GET", "/tagged", [](const Request&) -> Answer {
      Reply reply = text_reply(std::string(2'000, 't'));
      reply.headers = {{"ETag", "\"v1\""}, {"Cache-Control", "max-age=1"}};
      return reply;
    });
    add("GET", "/json", [](const Request&) -> Answer {
      Reply reply;
      reply.body = "[" + std::string(2'000, ' ') + "]";
      return reply;
    });
    add("GET", "/injects", [](const Request& request) -> Answer {
      Reply reply = text_reply("x");
      reply.headers.emplace_back("X-Echo", request.query_value("v").value_or(""));
      return reply;
    });
    return routes;
  }
};

}  // namespace millrace::serving
