#include "serving/http/tls.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace millrace::serving {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

struct TlsIdentity::Context {
  net::ssl::context ssl{net::ssl::context::tls_server};
};

namespace {

constexpr std::size_t kPiece = 16 * 1024;  // a record of TLS
constexpr std::chrono::milliseconds kGoodbye{1000};

Result<std::shared_ptr<TlsIdentity::Context>> read(const TlsFiles& files) {
  auto context = std::make_shared<TlsIdentity::Context>();
  const auto refuse = [](const std::string& file, const error_code& error, const char* field) {
    return fail(Code::kInvalid, file + ": " + error.message(), field);
  };
  error_code error;
  context->ssl.set_options(net::ssl::context::no_tlsv1 | net::ssl::context::no_tlsv1_1, error);
  if (!error) context->ssl.use_certificate_chain_file(files.certificate, error);
  if (error) return refuse(files.certificate, error, "tls.cert");
  context->ssl.use_private_key_file(files.key, net::ssl::context::pem, error);
  if (!error && SSL_CTX_check_private_key(context->ssl.native_handle()) != 1) {
    return fail(Code::kInvalid, files.key + ": not the key of " + files.certificate, "tls.key");
  }
  if (error) return refuse(files.key, error, "tls.key");
  return context;
}

}  // namespace

TlsIdentity::TlsIdentity(TlsFiles files) : files_(std::move(files)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::unique_ptr<TlsIdentity>> TlsIdentity::open(TlsFiles files) {
  std::unique_ptr<TlsIdentity> identity(new TlsIdentity(std::move(files)));
  MILLRACE_CHECK(identity->reload());
  return identity;
}

Status TlsIdentity::reload() {
  MILLRACE_TRY(auto fresh, read(files_));
  const std::lock_guard lock(mutex_);
  context_ = std::move(fresh);
  return {};
}

std::shared_ptr<TlsIdentity::Context> TlsIdentity::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

// Copies both ways until both have ended, or one fails.
class TlsRelays::Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(TlsRelays& all, tcp::socket client, const std::shared_ptr<TlsIdentity::Context>& context)
      : all_(all),
        context_(context),
        client_(std::move(client), context->ssl),
        plain_(all.io_),
        timer_(all.io_) {}

  void shake_hands(Deliver deliver) {
    expire_in(all_.deadlines_.handshake);
    client_.async_handshake(
        net::ssl::stream_base::server,
        [self = shared_from_this(), deliver = std::move(deliver)](const error_code& error) {
          self->timer_.cancel();
          std::optional<tcp::socket> end;
          if (!error && !self->closed_) end = self->make_pair();
          if (!end) self->close();
          const bool good = end.has_value();
          deliver(std::move(end));
          if (good) self->start();
        });
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    timer_.cancel();
    plain_.close(ignored);
    client_.lowest_layer().close(ignored);
    all_.relays_.erase(shared_from_this());
  }

 private:
  std::optional<tcp::socket> make_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
      return std::nullopt;
    }
    error_code error;
    plain_.assign(net::local::stream_protocol(), ends[0], error);
    // The server does with it what it does with any stream.
    tcp::socket other(all_.io_);
    error_code second;
    other.assign(tcp::v4(), ends[1], second);
    if (error || second) return std::nullopt;
    return other;
  }

  void start() {
    read_client();
    read_plain();
  }

  void read_client() {
    client_.async_read_some(
        net::buffer(in_), [self = shared_from_this()](const error_code& error, std::size_t bytes) {
          if (self->closed_) return;
          if (error) return self->client_ended();
          net::async_write(self->plain_, net::buffer(self->in_, bytes),
                           [self](const error_code& failed, std::size_t) {
                             if (self->closed_) return;
                             if (failed) return self->client_ended();
                             self->read_client();
                           });
        });
  }

  void client_ended() {
    error_code ignored;
    plain_.shutdown(net::socket_base::shutdown_send, ignored);
  }

  void read_plain() {
    plain_.async_read_some(net::buffer(out_),
                           [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                             if (self->closed_) return;
                             if (error) return self->say_goodbye();
                             self->expire_in(self->all_.deadlines_.write);
                             net::async_write(self->client_, net::buffer(self->out_, bytes),
                                              [self](const error_code& failed, std::size_t) {
                                                self->timer_.cancel();
                                                if (self->closed_) return;
                                                if (failed) return self->close();
                                                self->read_plain();
                                              });
                           });
  }

  void say_goodbye() {
    expire_in(kGoodbye);
    client_.async_shutdown([self = shared_from_this()](const error_code&) { self->close(); });
  }

  void expire_in(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (!error && self) self->close();
    });
  }

  TlsRelays& all_;
  const std::shared_ptr<TlsIdentity::Context> context_;  // outlives client_
  net::ssl::stream<tcp::socket> client_;
  net::local::stream_protocol::socket plain_;
  net::steady_timer timer_;
  std::array<char, kPiece> in_{};
  std::array<char, kPiece> out_{};
  bool closed_ = false;
};

TlsRelays::TlsRelays(net::io_context& io, const TlsIdentity& identity, TlsDeadlines deadlines)
    : io_(io), identity_(identity), deadlines_(deadlines) {}
TlsRelays::~TlsRelays() = default;

void TlsRelays::admit(tcp::socket client, Deliver deliver) {
  error_code ignored;
  client.set_option(tcp::no_delay(true), ignored);
  const auto relay = std::make_shared<Relay>(*this, std::move(client), identity_.context());
  relays_.insert(relay);
  relay->shake_hands(std::move(deliver));
}

void TlsRelays::close_all() {
  while (!relays_.empty()) (*relays_.begin())->close();
}

}  // namespace millrace::serving
