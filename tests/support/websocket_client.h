#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/tls_client.h"

namespace millrace {

enum class Opcode : std::uint8_t {
  kMore = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct SocketFrame {
  bool last = true;
  Opcode opcode = Opcode::kText;
  std::string payload;
  std::uint16_t code() const;  // of a closing frame; 0: none
};

// A blocking WebSocket client by hand (RFC 6455), for tests: what it sends may be wrong. Waits as
// its HttpClient does. One thread.
class WebSocketClient {
 public:
  using Headers = HttpClient::Headers;

  // Makes the handshake; status() says what came of it.
  WebSocketClient(std::uint16_t port, const std::string& target, const Headers& headers = {},
                  std::chrono::milliseconds deadline = std::chrono::seconds(10));
  WebSocketClient(std::unique_ptr<TlsClient> tls, const std::string& target,
                  const Headers& headers = {});

  int status() const { return reply_.status; }
  const HttpReply& reply() const { return reply_; }

  bool send(Opcode opcode, std::string_view payload, bool last = true, bool masked = true);
  // The next frame; a closing one without code where the server closed the connection.
  SocketFrame frame();
  // The next text; pings meanwhile are answered. A closing frame's code, as "closed 1000", and an
  // end without one, as "closed 0".
  std::string text();
  void leave();  // without a goodbye
  bool closed();

 private:
  std::unique_ptr<HttpClient> plain_;
  std::unique_ptr<TlsClient> tls_;
  std::string read(std::size_t bytes);
  bool write(std::string_view bytes);
  HttpReply reply_;
};

// The handshake's request.
std::string socket_request(const std::string& target, const HttpClient::Headers& headers = {});

}  // namespace millrace
