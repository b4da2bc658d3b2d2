#include <array>
#include <boost/asio/post.hpp>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "serving/http/connection.h"

// How a connection sends a body that is made as the client takes it: one piece is asked for when
// all before it is written, so that a slow client holds one piece and no more.

namespace millrace::serving {
namespace {

std::string hex(std::size_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

}  // namespace

void Connection::begin_stream(WireReply& wire) {
  stream_ = std::move(wire.stream);
  length_ = wire.length;
  chunked_ = wire.chunked;
}

void Connection::want_piece() {
  enter(Phase::kStreaming, state_.options.stream_deadline);
  stream_->next([mailbox = worker_.mailbox(), connection = weak_from_this()](auto piece) {
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->worker == nullptr) return;
    boost::asio::post(mailbox->worker->io(), [connection, piece = std::move(piece)]() mutable {
      if (const auto alive = connection.lock()) alive->on_piece(std::move(piece));
    });
  });
  // A client that leaves is noticed by reading; what it asks for meanwhile waits.
  if (phase_ == Phase::kStreaming && in_begin_ == in_end_) read();
}

void Connection::on_piece(std::optional<std::string> piece) {
  if (phase_ != Phase::kStreaming) return;
  if (!piece || (length_ && piece->size() > *length_) ||
      (length_ && piece->empty() && *length_ > 0)) {
    log_warn("a connection is closed: the rest of the body that it was sent cannot be had");
    return close();
  }
  if (length_) *length_ -= piece->size();
  const bool last = piece->empty() || length_ == 0;
  WireReply wire;
  if (chunked_) wire.head = hex(piece->size()) + "\r\n";
  wire.body = *std::move(piece);
  if (chunked_) wire.body += "\r\n";
  send(std::move(wire));
  if (!last) return drive(Next::kStream);
  stream_ = nullptr;
  drive(last_request_ ? Next::kClose : Next::kParse);
}

}  // namespace millrace::serving
