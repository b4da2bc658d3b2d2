#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/http_client.h"
#include "base/result.h"

namespace millrace::app {

// Where a verb's requests go: a running server, or the data of a stopped one opened in this
// process. Answers are those of the HTTP API either way. One thread, unless an implementation says
// more.
class Target {
 public:
  virtual ~Target() = default;

  // Any answer of the server's is a value, whatever its status; an error means there was none.
  virtual Result<HttpReply> send(const HttpRequest& request) = 0;
  // What it is, for people and to tell targets apart: a URL or a folder.
  virtual std::string name() const = 0;

  Result<HttpReply> get(const std::string& path);
  Result<HttpReply> post(const std::string& path, const std::string& content_type, std::string body,
                         const HeaderList& headers = {});
};

// The error that an answer of 400 and above stands for, with what the server said.
Error error_of(const HttpReply& reply);

// How to go on when a server is busy, restarting or not to be reached.
struct RetryPolicy {
  std::chrono::milliseconds first = std::chrono::milliseconds(100);  // doubles each time
  std::chrono::milliseconds longest = std::chrono::seconds(5);
  std::chrono::milliseconds give_up_after = std::chrono::seconds(60);  // 0: no second try
  // Called before a wait; false gives up at once.
  std::function<bool(std::chrono::milliseconds wait, const std::string& why)> may_wait;
};

// A server over HTTP. Sends again on 429, 503 and broken connections, waiting as Retry-After or the
// policy says: what is sent must be safe to send twice, as events with ids and items are.
class HttpTarget final : public Target {
 public:
  HttpTarget(Url url, const std::string& token, RetryPolicy retry = {}, HttpTimeouts timeouts = {});

  Result<HttpReply> send(const HttpRequest& request) override;
  std::string name() const override;

 private:
  const Url url_;
  const std::string token_;
  const RetryPolicy retry_;
  HttpClient client_;
};

}  // namespace millrace::app
