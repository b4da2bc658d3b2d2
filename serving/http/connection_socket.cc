#include <chrono>
#include <utility>

#include "base/clock.h"
#include "serving/http/connection.h"
#include "serving/http/websocket.h"

// How a connection becomes a WebSocket: what it answered before is written, then it hands its
// socket over, and only keeps its place, the deadline of writing and the end.

namespace millrace::serving {
namespace {

constexpr std::chrono::milliseconds kGoodbye{2'000};

}  // namespace

Connection::Next Connection::begin_socket(Reply reply) {
  if (parser_.http_1_0() || in_begin_ < in_end_) {
    return refuse(400, "A handshake is made by HTTP/1.1, and its answer is waited for.",
                  Rejection::kBadRequest);
  }
  handshake_session_ = std::move(reply.socket);
  WireReply wire =
      worker_.writer().write(std::move(reply), parser_.request(), Persistence::kKeepAlive, false);
  state_.metrics.count(route_, wire.status,
                       static_cast<double>(steady_micros() - served_at_) / 1e6);
  handshake_head_ = std::move(wire.head);
  return Next::kSocket;
}

void Connection::become_socket() {
  const auto back = [this](void (Connection::*act)()) {
    return [weak = weak_from_this(), act] {
      const auto self = weak.lock();
      if (self && self->phase_ != Phase::kClosed) (self.get()->*act)();
    };
  };
  const WebSocket::Links links{back(&Connection::socket_writes), back(&Connection::socket_wrote),
                               back(&Connection::socket_parts), back(&Connection::close)};
  web_socket_ = std::make_unique<WebSocket>(
      std::move(socket_), std::exchange(handshake_session_, nullptr), worker_.mailbox(), links);
  phase_ = Phase::kSocket;
  deadline_ = 0;
  web_socket_->accept(parser_.request(), handshake_head_);
  if (last_request_) web_socket_->stop();
}

void Connection::socket_writes() {
  if (phase_ == Phase::kSocket) enter(Phase::kSocket, state_.options.write_deadline);
}

void Connection::socket_wrote() {
  if (phase_ == Phase::kSocket) deadline_ = 0;
}

// Beast waits for a client that has said goodbye to close, too, as long as it was silent before.
void Connection::socket_parts() { enter(Phase::kLingering, kGoodbye); }

}  // namespace millrace::serving
