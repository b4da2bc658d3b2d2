#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serving/http/body_sink.h"
#include "serving/http/message.h"
#include "serving/http/reply_writer.h"
#include "serving/http/request_parser.h"
#include "serving/http/worker.h"

namespace millrace::serving {

class WebSocket;

// One client's connection: reads requests, has them answered one after the other, writes the
// answers in order. Everything happens on its worker's thread. Shared by the worker's list and by
// the operations that are under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `worker` and `dispatcher` must outlive the connection.
  Connection(boost::asio::ip::tcp::socket socket, std::string peer, Worker& worker,
             const Dispatcher& dispatcher);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // Acts on a deadline that has passed. Microseconds of the steady clock.
  void on_tick(std::int64_t now);
  // No request after the present one.
  void stop();
  void close();
  // The answer that request number `ticket` waited for; too late, it is dropped.
  void on_later(std::uint64_t ticket, const Render& render);
  // Body number `body` may go on.
  void on_room(std::uint64_t body);

 private:
  static constexpr std::size_t kSmallInput = 4 * 1024;

  enum class Phase {
    kIdle,
    kHead,
    kBody,
    kServing,
    kWaiting,
    kStreaming,
    kWriting,
    kSocket,
    kLingering,
    kClosed
  };
  // What comes when everything in out_ is written.
  enum class Next { kParse, kRead, kPause, kWait, kStream, kSocket, kClose };

  void drive(Next next);
  void step(Next next);
  Next parse();
  Next want_more();
  Next begin_body();
  Next receive(std::shared_ptr<BodySink> sink);
  Next hand_on();
  Next finish_body();
  Next serve();
  Next begin_later(Later later);
  Reply rendered(const Render& render);
  Next respond(Reply reply);
  Next refuse(int status, std::string_view reason, std::optional<Rejection> rejection);
  void set_request_id(Request& request);
  bool charge_body(std::size_t bytes);

  void begin_stream(WireReply& wire);
  void want_piece();
  void on_piece(std::optional<std::string> piece);

  Next begin_socket(Reply reply);
  void become_socket();
  void socket_writes();
  void socket_wrote();
  void socket_parts();

  void send(WireReply wire);
  void read();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  bool write();  // false: not all is written yet, or closed
  void wait_writable();
  void linger();
  void enter(Phase phase, std::chrono::milliseconds deadline);

  boost::asio::ip::tcp::socket socket_;
  const std::string peer_;
  const Address address_;  // the same
  Worker& worker_;
  ServerState& state_;
  const Dispatcher& dispatcher_;
  RequestParser parser_;

  std::vector<char> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  bool reading_ = false;

  std::vector<WireReply> out_;
  std::size_t out_bytes_ = 0;  // in out_
  std::size_t written_ = 0;    // of out_bytes_
  Next next_ = Next::kRead;

  Phase phase_ = Phase::kIdle;
  std::int64_t deadline_ = 0;
  bool continued_ = false;     // 100 Continue was sent for the present request
  bool last_request_ = false;  // the connection closes after the present answer

  std::shared_ptr<BodySink> sink_;  // takes the present body
  bool paused_ = false;             // until on_room(body_)
  std::uint64_t body_ = 0;

  std::size_t route_ = HttpMetrics::kNoRoute;
  std::int64_t served_at_ = 0;
  std::size_t charged_body_ = 0;
  bool waiting_ = false;  // for the Later with number ticket_
  std::uint64_t ticket_ = 0;
  std::int64_t later_until_ = 0;
  std::optional<Reply> came_while_writing_;

  std::shared_ptr<BodyStream> stream_;   // of the present answer; null: its body is whole
  std::optional<std::uint64_t> length_;  // what is left of it
  bool chunked_ = false;

  std::shared_ptr<SocketSession> handshake_session_;  // of the handshake that was just answered
  std::string handshake_head_;
  std::unique_ptr<WebSocket> web_socket_;
};

}  // namespace millrace::serving
