#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

// What a server answered. `body` is as sent (still gzipped if it was).
struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string header(std::string_view lower_case_name) const;  // "" when absent
};

// A blocking HTTP/1.1 client over one keep-alive connection to 127.0.0.1, for tests. Throws
// std::runtime_error on what a test does not expect (no connection, a reply cut short, a deadline).
// One thread.
class HttpClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Every wait for the server ends after `deadline`. `source`: the address to come from, 127.x.y.z;
  // empty: the system chooses.
  explicit HttpClient(std::uint16_t port,
                      std::chrono::milliseconds deadline = std::chrono::seconds(10),
                      std::string source = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpReply get(const std::string& target, const Headers& headers = {});
  HttpReply head(const std::string& target, const Headers& headers = {});
  HttpReply post(const std::string& target, const std::string& body, const Headers& headers = {});
  HttpReply put(const std::string& target, const std::string& body, const Headers& headers = {});
  HttpReply del(const std::string& target, const Headers& headers = {});
  // Adds Host and Content-Length; connects again when there is no connection or the
  // server closed it while idle.
  HttpReply request(const std::string& method, const std::string& target, const Headers& headers,
                    const std::string& body);

  // Raw bytes, as they are. False when the server has closed.
  bool send_raw(std::string_view bytes);
  // The next reply; `head_only` for an answer to HEAD. Interim 1xx replies are replies too.
  HttpReply read_reply(bool head_only = false);
  // Nothing when the server closes, without a whole reply, first.
  std::optional<HttpReply> try_read_reply(bool head_only = false);
  // Up to `end`, inclusive, and so many bytes; what came where the server closed before.
  std::string read_to(std::string_view end);
  std::string read_exactly(std::size_t bytes);
  // Waits until the server closes; what it sent until then.
  std::string read_to_end();
  // True when the server closes (or has closed) the connection before the deadline without a byte.
  bool closed();
  void close();
  void shut_sending();

 private:
  void connect();
  bool fill();  // one more read; false at the end
  std::string read_chunked();
  bool read_until(std::size_t size);

  std::uint16_t port_;
  std::chrono::milliseconds deadline_;
  std::string source_;
  int fd_ = -1;
  bool reused_ = false;  // a reply has come over this connection
  std::string buffer_;
};

}  // namespace millrace
