#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "serving/http/cors.h"
#include "serving/http/message.h"

namespace millrace::serving {

// What a socket puts up with.
struct SocketLimits {
  std::size_t message_bytes = 4096;  // of the client's; closed with 1009
  // Of the client's. It is sent a ping after half of it, and cut off at its end.
  std::chrono::milliseconds silence = std::chrono::seconds(30);
};

// What goes on over one WebSocket (RFC 6455): whole messages of text, both ways. Called on the
// connection's thread, which must not wait, and let go of there when the socket has closed.
class SocketSession {
 public:
  struct Message {
    std::string text;
    // Not 0: the socket closes with this code (RFC 6455 7.4), and `text`, at most 123 bytes, says
    // why.
    std::uint16_t close = 0;
  };
  using Give = std::function<void(Message)>;

  virtual ~SocketSession() = default;
  virtual SocketLimits limits() const { return {}; }
  // Asks for a message to send: `give` is called once, from any thread, and does nothing once the
  // client has left. What was given before is on its way.
  virtual void next(Give give) = 0;
  // The client sent this; an answer closes the socket.
  virtual std::optional<Message> received(std::string_view text) = 0;
  // The server is stopping: what is given next should close the socket.
  virtual void stop() = 0;
};

bool asks_for_socket(const Request& request);
// Refuses a handshake that is none (426, 400), or that a page of another origin makes (403):
// browsers let every page open WebSockets to everywhere. `cors`: what other pages may; null: none.
std::optional<Reply> refuse_handshake(const Request& request, const Cors* cors);
// The answer after which the connection is a WebSocket.
Reply switch_protocols(std::shared_ptr<SocketSession> session);

}  // namespace millrace::serving
