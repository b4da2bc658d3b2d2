#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "serving/http/message.h"
#include "serving/http/socket_session.h"

namespace millrace::serving {

struct Mailbox;

// A connection that has become a WebSocket: frames, pings, the closing handshake. Everything is
// called on its worker's thread, and calls back there.
class WebSocket {
 public:
  struct Links {
    std::function<void()> on_write;    // a message is being written
    std::function<void()> on_written;  // and is now the kernel's
    std::function<void()> on_goodbye;  // one side has said it; the end must come by itself
    std::function<void()> on_end;      // once, unless abort() was called; the last
  };

  WebSocket(boost::asio::ip::tcp::socket socket, std::shared_ptr<SocketSession> session,
            std::shared_ptr<Mailbox> mailbox, Links links);
  ~WebSocket();  // abort()
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Answers the handshake, with what `head`, an answer up to its empty line, says beside.
  void accept(const Request& request, const std::string& head);
  void stop();
  void abort();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with what is under way
};

}  // namespace millrace::serving
