#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <span>
#include <utility>

#include "serving/http/connection.h"

// How a connection reads and writes.

namespace millrace::serving {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr std::size_t kLargeInput = 64 * 1024;
constexpr std::size_t kMaxBuffers = 32;  // per system call
constexpr std::chrono::milliseconds kLinger{1000};

}  // namespace

void Connection::send(WireReply wire) {
  out_bytes_ += wire.head.size() + wire.body.size();
  out_.push_back(std::move(wire));
}

void Connection::read() {
  if (reading_) return;
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
  } else if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  const std::size_t room_for_head = state_.options.parse.head_bytes + kSmallInput;
  if (in_end_ == in_.size() || parser_.request().body.size() > kSmallInput) {
    in_.resize(std::max(kLargeInput, room_for_head));
  }
  reading_ = true;
  socket_.async_read_some(net::buffer(in_.data() + in_end_, in_.size() - in_end_),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void Connection::on_read(const error_code& error, std::size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return close();
  if (phase_ == Phase::kLingering) {
    in_begin_ = in_end_ = 0;
    return read();
  }
  in_end_ += bytes;
  if (phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody) {
    drive(Next::kParse);
  }
}

bool Connection::write() {
  std::array<net::const_buffer, kMaxBuffers> buffers;
  for (;;) {
    std::size_t count = 0;
    std::size_t skip = written_;
    for (const WireReply& wire : out_) {
      for (const std::string* part : {&wire.head, &wire.body}) {
        const std::size_t skipped = std::min(skip, part->size());
        skip -= skipped;
        if (skipped == part->size() || count == kMaxBuffers) continue;
        buffers[count++] = net::buffer(part->data() + skipped, part->size() - skipped);
      }
    }
    error_code error;
    const std::span<const net::const_buffer> filled(buffers.data(), count);
    written_ += socket_.write_some(filled, error);
    if (error == net::error::would_block || error == net::error::try_again) return false;
    if (error) {
      close();
      return false;
    }
    if (written_ == out_bytes_) break;
  }
  out_.clear();
  out_bytes_ = written_ = 0;
  return true;
}

void Connection::wait_writable() {
  if (phase_ == Phase::kClosed) return;
  if (phase_ != Phase::kWriting) {
    const std::chrono::seconds more(out_bytes_ / state_.options.write_bytes_per_second);
    enter(Phase::kWriting, state_.options.write_deadline + more);
  }
  socket_.async_wait(net::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const error_code& error) {
                       if (self->phase_ == Phase::kClosed) return;
                       if (error) return self->close();
                       if (!self->write()) return self->wait_writable();
                       self->phase_ = Phase::kServing;
                       self->deadline_ = 0;
                       // Parsing again, without new bytes, sets the deadline of reading.
                       const Next next = self->next_;
                       self->drive(next == Next::kRead ? Next::kParse : next);
                     });
}

// Closing while the client still sends would reset the connection and could take the answer with
// it.
void Connection::linger() {
  error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  enter(Phase::kLingering, kLinger);
  in_begin_ = in_end_ = 0;
  read();
}

}  // namespace millrace::serving
