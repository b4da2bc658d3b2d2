#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace::app {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The parts of an http:// URL. kInvalid, field "url", for what is none; https is not spoken here.
struct Url {
  std::string host;  // without the brackets of IPv6
  std::uint16_t port = 80;
  std::string prefix;  // path before every request's, without a last slash

  static Result<Url> parse(std::string_view text);
  std::string authority() const;  // for the Host header
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  HeaderList headers;
  std::string body;
};

struct HttpReply {
  int status = 0;
  HeaderList headers;  // names in lower case
  std::string body;

  // The first header of that name, or nullptr.
  const std::string* header(std::string_view lower_case_name) const;
};

struct HttpTimeouts {
  std::chrono::milliseconds connect = std::chrono::seconds(5);
  std::chrono::milliseconds exchange = std::chrono::seconds(60);  // a request and its whole reply
};

inline constexpr std::size_t kMaxReplyBytes = 256ULL << 20;

// A blocking HTTP/1.1 client over one keep-alive connection, made on first use and again when the
// server has closed it. Understands replies with a length, in chunks, and until the end. One
// thread.
class HttpClient {
 public:
  explicit HttpClient(Url url, HttpTimeouts timeouts = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Host, Content-Length and Connection come by themselves. kUnavailable: no connection, so nothing
  // was sent. kIo and kTimeout: it broke on the way, and the server may have done what was asked.
  // A kept connection that turns out closed before a byte came back is replaced once.
  Result<HttpReply> exchange(const HttpRequest& request);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Body { kNone, kLength, kChunked, kUntilClose };

  Status connect();
  Status connect_to(int fd, const void* address, std::uint32_t size, Deadline deadline);
  void close();
  std::string encode(const HttpRequest& request) const;
  Status write_all(std::string_view bytes, Deadline deadline);
  Result<bool> fill(Deadline deadline);  // false: the server has closed
  Result<HttpReply> read_reply(const HttpRequest& request, Deadline deadline);
  Result<HttpReply> read_head(Deadline deadline);
  Status read_bytes(std::size_t size, std::string& into, Deadline deadline);
  Result<std::string> read_line(Deadline deadline);
  Result<std::string> read_chunked(Deadline deadline);
  Result<std::string> read_to_end(Deadline deadline);

  const Url url_;
  const HttpTimeouts timeouts_;
  int fd_ = -1;
  bool used_ = false;   // a reply has come over this connection
  std::string buffer_;  // received, not yet used
};

}  // namespace millrace::app
