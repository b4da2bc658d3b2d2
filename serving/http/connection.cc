#include "serving/http/connection.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "serving/http/problem.h"
#include "serving/http/websocket.h"

namespace millrace::serving {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr std::size_t kMaxRequestId = 128;

std::int64_t micros(std::chrono::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

// The promise of one answer. Whoever lets go of it without an answer has answered 500.
class Ticket {
 public:
  Ticket(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> connection,
         std::uint64_t number)
      : mailbox_(std::move(mailbox)), connection_(std::move(connection)), number_(number) {}
  ~Ticket() {
    finish([] { return problem(500, "The request was dropped without an answer."); });
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  void finish(Render render) {
    if (done_.exchange(true)) return;
    const std::lock_guard lock(mailbox_->mutex);
    if (mailbox_->worker == nullptr) return;
    mailbox_->worker->state().metrics.levels().in_flight.fetch_sub(1);
    mailbox_->post([connection = connection_, number = number_, r = std::move(render)] {
      if (const auto alive = connection.lock()) alive->on_later(number, r);
    });
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<Connection> connection_;
  std::uint64_t number_;
  std::atomic<bool> done_{false};
};

}  // namespace

Connection::Connection(net::ip::tcp::socket socket, std::string peer, Worker& worker,
                       const Dispatcher& dispatcher)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      address_(Address::parse(peer_).value_or(Address{})),
      worker_(worker),
      state_(worker.state()),
      dispatcher_(dispatcher),
      parser_(state_.options.parse),
      in_(kSmallInput) {}

Connection::~Connection() = default;

void Connection::start() {
  error_code ignored;
  socket_.set_option(net::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  drive(Next::kParse);
}

void Connection::enter(Phase phase, std::chrono::milliseconds deadline) {
  phase_ = phase;
  deadline_ = steady_micros() + micros(deadline);
}

// The connection's one loop: writes what there is to write, then does what is next, and leaves only
// to wait for the client or for an answer.
void Connection::drive(Next next) {
  try {
    step(next);
  } catch (const std::exception& error) {  // out of memory, most likely: this client pays
    log_error(std::string("a connection is closed: ") + error.what());
    close();
  }
}

void Connection::step(Next next) {
  while (phase_ != Phase::kClosed) {
    if (!out_.empty() && !write()) {
      next_ = next;
      return wait_writable();
    }
    switch (next) {
      case Next::kParse: next = parse(); break;
      case Next::kRead: return read();
      case Next::kPause: return;
      case Next::kStream: return want_piece();
      case Next::kSocket: return become_socket();
      case Next::kClose: return linger();
      case Next::kWait:
        if (!came_while_writing_) {
          phase_ = Phase::kWaiting;
          deadline_ = later_until_;
          return;
        }
        next = respond(*std::exchange(came_while_writing_, std::nullopt));
        break;
    }
  }
}

void Connection::set_request_id(Request& request) {
  const auto usable = [](std::string_view id) {
    return !id.empty() && id.size() <= kMaxRequestId &&
           std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
  };
  for (auto& [name, value] : request.headers) {
    if (name != "x-request-id") continue;
    if (!usable(value)) value = worker_.mint_request_id();
    return;
  }
  request.headers.emplace_back("x-request-id", worker_.mint_request_id());
}

Connection::Next Connection::serve() {
  phase_ = Phase::kServing;
  deadline_ = 0;
  served_at_ = steady_micros();
  last_request_ = !parser_.keep_alive() || state_.stopping;
  Request& request = parser_.request();
  request.address = address_;
  set_request_id(request);
  Dispatcher::Outcome outcome = dispatcher_.dispatch(request);
  route_ = outcome.route;
  if (auto* reply = std::get_if<Reply>(&outcome.answer)) return respond(std::move(*reply));
  return begin_later(std::get<Later>(std::move(outcome.answer)));
}

Connection::Next Connection::begin_later(Later later) {
  // A handler keeps nothing of its request, so that a body does not lie here while its answer is
  // waited for.
  parser_.request().body = {};
  charge_body(0);
  auto& in_flight = state_.metrics.levels().in_flight;
  if (in_flight.fetch_add(1) >= static_cast<std::int64_t>(state_.options.max_in_flight)) {
    in_flight.fetch_sub(1);
    state_.metrics.reject(Rejection::kInFlight);
    return respond(problem(429, "Too many requests are being worked on."));
  }
  waiting_ = true;
  later_until_ = served_at_ + micros(state_.options.later_deadline);
  auto ticket = std::make_shared<Ticket>(worker_.mailbox(), weak_from_this(), ++ticket_);
  try {
    later.start([ticket](Render render) { ticket->finish(std::move(render)); });
  } catch (const std::exception& error) {
    log_error(std::string("an answer that was to come later threw: ") + error.what());
    state_.metrics.count_exception(route_);
  }
  return Next::kWait;
}

Reply Connection::rendered(const Render& render) {
  try {
    return render();
  } catch (const std::exception& error) {
    log_error(std::string("rendering an answer that came later threw: ") + error.what());
    state_.metrics.count_exception(route_);
    return problem(500, "The request could not be served; the log says why.");
  }
}

void Connection::on_later(std::uint64_t ticket, const Render& render) {
  if (!waiting_ || ticket != ticket_ || phase_ == Phase::kClosed) return;
  waiting_ = false;
  Reply reply = rendered(render);
  if (phase_ == Phase::kWriting) {
    came_while_writing_ = std::move(reply);
    return;
  }
  drive(respond(std::move(reply)));
}

Connection::Next Connection::respond(Reply reply) {
  if (reply.sink) return receive(std::move(reply.sink));
  phase_ = Phase::kServing;
  deadline_ = 0;
  // HTTP/1.0 has no chunks: there a body of unknown length ends with the connection.
  const bool ends_it = parser_.http_1_0() && reply.stream && !reply.length;
  const bool unread = parser_.state() != RequestParser::State::kDone;
  last_request_ = last_request_ || state_.stopping || ends_it || unread;
  reply = dispatcher_.in_form(parser_.request(), std::move(reply));
  if (state_.options.mark) state_.options.mark(reply);
  if (reply.socket) return begin_socket(std::move(reply));
  WireReply wire = worker_.writer().write(
      std::move(reply), parser_.request(),
      last_request_ ? Persistence::kClose : Persistence::kKeepAlive, parser_.http_1_0());
  state_.metrics.count(route_, wire.status,
                       static_cast<double>(steady_micros() - served_at_) / 1e6);
  begin_stream(wire);
  send(std::move(wire));
  charge_body(0);
  continued_ = false;
  parser_.reset();
  if (stream_) return Next::kStream;
  return last_request_ ? Next::kClose : Next::kParse;
}

// Answers what is no request; nothing that follows on this connection can be trusted.
Connection::Next Connection::refuse(int status, std::string_view reason,
                                    std::optional<Rejection> rejection) {
  if (rejection) state_.metrics.reject(*rejection);
  sink_.reset();
  state_.metrics.count(HttpMetrics::kNoRoute, status, 0);
  charge_body(0);
  auto reply = dispatcher_.in_form(parser_.request(), problem(status, reason));
  send(worker_.writer().write(std::move(reply), Persistence::kClose));
  return Next::kClose;
}

// Counts `bytes` as held by this connection. False when all connections then hold more than
// allowed.
bool Connection::charge_body(std::size_t bytes) {
  if (bytes == charged_body_) return true;
  const auto change = static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(charged_body_);
  const std::int64_t held = state_.metrics.levels().body_bytes.fetch_add(change) + change;
  charged_body_ = bytes;
  return change < 0 || held <= static_cast<std::int64_t>(state_.options.max_body_memory);
}

void Connection::on_tick(std::int64_t now) {
  if (deadline_ == 0 || now < deadline_) return;
  switch (phase_) {
    case Phase::kHead:
      return drive(refuse(408, "The header fields did not come in time.", Rejection::kHeadTimeout));
    case Phase::kBody:
      return drive(refuse(408, "The body did not come in time.", Rejection::kBodyTimeout));
    case Phase::kWaiting:
      waiting_ = false;
      state_.metrics.reject(Rejection::kLaterTimeout);
      return drive(respond(problem(503, "No answer in time; the outcome is unknown.")));
    case Phase::kSocket:
    case Phase::kWriting: state_.metrics.reject(Rejection::kSlowReader); return close();
    case Phase::kStreaming:
    case Phase::kIdle:
    case Phase::kLingering: return close();
    case Phase::kServing:
    case Phase::kClosed: return;
  }
}

void Connection::stop() {
  last_request_ = true;
  if (phase_ == Phase::kIdle) return close();
  if (stream_) stream_->stop();
  if (web_socket_) web_socket_->stop();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();  // the worker's list may hold the last other reference
  phase_ = Phase::kClosed;
  waiting_ = false;
  sink_.reset();
  stream_ = nullptr;
  if (web_socket_) web_socket_->abort();
  error_code ignored;
  socket_.close(ignored);
  charge_body(0);
  worker_.release(peer_);
  worker_.remove(*this);
}

}  // namespace millrace::serving
