#include "serving/http/websocket.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "serving/http/worker.h"

namespace millrace::serving {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ws = beast::websocket;
using boost::system::error_code;

constexpr bool kCompresses = false;
// What the kernel holds for a client that does not read; left alone it grows to megabytes.
constexpr int kSendBuffer = 64 * 1024;
// For the answer to be written.
constexpr std::chrono::seconds kHandshake{5};

beast::string_view view(std::string_view text) { return {text.data(), text.size()}; }

void add_lines(http::fields& fields, std::string_view head) {
  head.remove_prefix(std::min(head.find('\n'), head.size() - 1) + 1);  // the status line
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    fields.insert(view(line.substr(0, colon)), view(line.substr(colon + 2)));
  }
}

}  // namespace

struct WebSocket::Impl : std::enable_shared_from_this<Impl> {
  Impl(net::ip::tcp::socket socket, std::shared_ptr<SocketSession> of,
       std::shared_ptr<Mailbox> way_back, Links back)
      : stream(std::move(socket)),
        session(std::move(of)),
        mailbox(std::move(way_back)),
        links(std::move(back)) {}

  void accept(const Request& request, const std::string& head);
  void ask();
  void on_message(SocketSession::Message message);
  void read();
  void on_read();
  void close(const SocketSession::Message& message);
  void end();
  void abort();

  ws::stream<net::ip::tcp::socket, kCompresses> stream;
  std::shared_ptr<SocketSession> session;  // null: ended
  std::shared_ptr<Mailbox> mailbox;
  Links links;
  beast::flat_buffer in;
  std::string out;
  bool writing = false;
  bool closing = false;
  std::optional<SocketSession::Message> farewell;  // sent when what is being written is
};

void WebSocket::Impl::accept(const Request& request, const std::string& head) {
  error_code ignored;
  stream.next_layer().set_option(net::socket_base::send_buffer_size(kSendBuffer), ignored);
  const auto limits = session->limits();
  stream.set_option(ws::stream_base::timeout{kHandshake, limits.silence, true});
  stream.set_option(ws::stream_base::decorator([head](ws::response_type& response) {
    add_lines(response, head);
    response.set(http::field::server, "millrace");
  }));
  stream.control_callback([this](ws::frame_type kind, beast::string_view) {
    if (kind == ws::frame_type::close) links.on_goodbye();
  });
  stream.read_message_max(limits.message_bytes);
  stream.auto_fragment(false);
  stream.text(true);
  http::request<http::empty_body> handshake(http::verb::get, view(request.target), 11);
  for (const auto& [name, value] : request.headers) handshake.insert(view(name), view(value));
  stream.async_accept(handshake, [self = shared_from_this()](const error_code& error) {
    if (error) return self->end();
    self->ask();
    self->read();
  });
}

void WebSocket::Impl::ask() {
  if (!session) return;
  session->next([way = mailbox, weak = weak_from_this()](SocketSession::Message message) {
    const std::lock_guard lock(way->mutex);
    if (way->worker == nullptr) return;
    net::post(way->worker->io(), [weak, message = std::move(message)]() mutable {
      if (const auto self = weak.lock()) self->on_message(std::move(message));
    });
  });
}

void WebSocket::Impl::on_message(SocketSession::Message message) {
  if (!session || farewell) return;
  if (message.close != 0) return close(message);
  out = std::move(message.text);
  writing = true;
  links.on_write();
  stream.async_write(net::buffer(out),
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       self->writing = false;
                       if (error) return self->end();
                       if (!self->session) return;
                       self->links.on_written();
                       if (self->farewell) return self->close(*self->farewell);
                       self->ask();
                     });
}

void WebSocket::Impl::read() {
  stream.async_read(in, [self = shared_from_this()](const error_code& error, std::size_t) {
    if (error) return self->end();
    self->on_read();
  });
}

void WebSocket::Impl::on_read() {
  if (!session) return;
  if (!farewell) {
    const std::string_view text(static_cast<const char*>(in.data().data()), in.size());
    const auto answer = stream.got_text() ? session->received(text)
                                          : SocketSession::Message{"messages are text",
                                                                   ws::close_code::unknown_data};
    if (answer) close(*answer);
  }
  in.consume(in.size());
  read();
}

void WebSocket::Impl::close(const SocketSession::Message& message) {
  if (!farewell) farewell = message;
  if (writing || std::exchange(closing, true)) return;
  links.on_goodbye();
  const ws::close_reason reason(static_cast<ws::close_code>(message.close), view(message.text));
  stream.async_close(reason, [self = shared_from_this()](const error_code&) { self->end(); });
}

void WebSocket::Impl::end() {
  if (!session) return;
  session = nullptr;
  links.on_end();
}

void WebSocket::Impl::abort() {
  session = nullptr;
  error_code ignored;
  stream.next_layer().close(ignored);
}

WebSocket::WebSocket(net::ip::tcp::socket socket, std::shared_ptr<SocketSession> session,
                     std::shared_ptr<Mailbox> mailbox, Links links)
    : impl_(std::make_shared<Impl>(std::move(socket), std::move(session), std::move(mailbox),
                                   std::move(links))) {}
WebSocket::~WebSocket() { abort(); }

void WebSocket::accept(const Request& request, const std::string& head) {
  impl_->accept(request, head);
}

void WebSocket::stop() {
  if (impl_->session) impl_->session->stop();
}

void WebSocket::abort() { impl_->abort(); }

}  // namespace millrace::serving
