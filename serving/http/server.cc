#include "serving/http/server.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "serving/http/connection.h"
#include "serving/http/problem.h"
#include "serving/http/reply_writer.h"
#include "serving/http/worker.h"

namespace millrace::serving {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

// How long accepting rests when the system has no descriptor to give.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string peer_address(const tcp::socket& socket) {
  error_code error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return {};
  const net::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace

// One thread accepts and hands each connection to the worker with the fewest. A listening socket
// per worker (SO_REUSEPORT) would let the kernel's hash decide, which loads them unevenly, and
// would let a second server bind the same port without a word.
struct Server::Impl {
  Impl(ServerOptions options, Router router, Metrics& metrics, const Clock& clock)
      : state(std::move(options), std::move(router), metrics, clock) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned count = state.options.threads == 0 ? cores : state.options.threads;
    for (unsigned i = 0; i < count; ++i) workers.push_back(std::make_unique<Worker>(state));
  }

  // Where connections come in, and what answers them.
  struct Door {
    Door(net::io_context& io, const Dispatcher& answers)
        : acceptor(io), pause(io), dispatcher(answers) {}
    tcp::acceptor acceptor;
    net::steady_timer pause;
    const Dispatcher& dispatcher;
    std::uint16_t port = 0;
  };

  Status listen();
  Status open(Door& door, const std::string& text, std::uint16_t port);
  void run();
  void accept(Door& door);
  void on_accept(Door& door, Worker& worker, const error_code& error, tcp::socket socket);
  void turn_away(tcp::socket socket, Rejection reason);
  void stop();

  ServerState state;
  net::io_context io{1};
  std::vector<std::unique_ptr<Door>> doors;  // of the address, and the further ones
  ReplyWriter writer{state.clock, state.options.gzip_min_bytes, state.options.gzip_level};
  std::vector<std::unique_ptr<Worker>> workers;
  std::jthread thread;
  std::once_flag stopped;
};

Status Server::Impl::listen() {
  const auto& further = state.options.further;
  for (std::size_t i = 0; i <= further.size(); ++i) {
    doors.push_back(std::make_unique<Door>(io, *state.dispatchers[i]));
    MILLRACE_CHECK(i == 0 ? open(*doors[i], state.options.address, state.options.port)
                          : open(*doors[i], further[i - 1].address, further[i - 1].port));
  }
  return {};
}

Status Server::Impl::open(Door& door, const std::string& text, std::uint16_t port) {
  error_code error;
  const net::ip::address address = net::ip::make_address(text, error);
  if (error) return fail(Code::kInvalid, "not an IP address: " + text, "address");
  const tcp::endpoint endpoint(address, port);
  auto& acceptor = door.acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) door.port = acceptor.local_endpoint(error).port();
  if (!error) return {};
  const Code code = error == net::error::address_in_use ? Code::kConflict : Code::kUnavailable;
  return fail(code,
              "cannot listen on " + text + ":" + std::to_string(port) + ": " + error.message());
}

void Server::Impl::run() {
  for (const auto& worker : workers) worker->start();
  for (const auto& door : doors) accept(*door);
  thread = std::jthread([this] { io.run(); });
}

void Server::Impl::accept(Door& door) {
  const auto fewest = std::min_element(
      workers.begin(), workers.end(),
      [](const auto& a, const auto& b) { return a->open().load() < b->open().load(); });
  Worker& worker = **fewest;
  door.acceptor.async_accept(worker.io(),
                             [this, &door, &worker](const error_code& error, tcp::socket socket) {
                               on_accept(door, worker, error, std::move(socket));
                             });
}

void Server::Impl::on_accept(Door& door, Worker& worker, const error_code& error,
                             tcp::socket socket) {
  if (error == net::error::operation_aborted || state.stopping) return;
  if (error && error != net::error::connection_aborted) {
    // Out of descriptors or memory: the listening socket stays readable, and asking again at once
    // would only burn a core.
    state.metrics.reject(Rejection::kNoDescriptors);
    door.pause.expires_after(kAcceptPause);
    door.pause.async_wait([this, &door](const error_code& aborted) {
      if (!aborted) accept(door);
    });
    return;
  }
  if (!error) {
    auto& connections = state.metrics.levels().connections;
    std::string peer = peer_address(socket);
    if (connections.load() >= static_cast<std::int64_t>(state.options.max_connections)) {
      turn_away(std::move(socket), Rejection::kConnections);
    } else if (!state.addresses.add(peer, state.options.max_connections_per_address)) {
      turn_away(std::move(socket), Rejection::kConnectionsPerAddress);
    } else {
      connections.fetch_add(1);
      worker.open().fetch_add(1);
      net::post(worker.io(),
                [&worker, &door, s = std::move(socket), p = std::move(peer)]() mutable {
                  worker.adopt(std::move(s), std::move(p), door.dispatcher);
                });
    }
  }
  accept(door);
}

void Server::Impl::turn_away(tcp::socket socket, Rejection reason) {
  state.metrics.reject(reason);
  if (state.tls) return;  // whoever expects TLS would not understand
  error_code ignored;
  socket.non_blocking(true, ignored);
  const WireReply wire = writer.write(problem(503, "The server has as many connections as it may."),
                                      Persistence::kClose);
  socket.write_some(net::buffer(wire.head + wire.body), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Server::Impl::stop() {
  state.stopping = true;
  net::post(io, [this] {
    for (const auto& door : doors) {
      error_code ignored;
      door->acceptor.close(ignored);
      door->pause.cancel();
    }
  });
  if (thread.joinable()) thread.join();
  for (const auto& worker : workers) worker->post_stop();
  const auto until = std::chrono::steady_clock::now() + state.options.stop_deadline;
  const auto& open = state.metrics.levels().connections;
  while (open.load() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (open.load() > 0) log_warn("stopping with " + std::to_string(open.load()) + " connections");
  for (const auto& worker : workers) worker->end();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Router router,
                                              Metrics& metrics, const Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router), metrics, clock);
  const TlsFiles& tls = impl->state.options.tls;
  if (!tls.certificate.empty()) {
    MILLRACE_TRY(impl->state.tls, TlsIdentity::open(tls));
  }
  MILLRACE_CHECK(impl->listen());
  impl->run();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->doors.front()->port; }

std::uint16_t Server::further_port(std::size_t i) const { return impl_->doors[i + 1]->port; }

Status Server::reload_tls() { return impl_->state.tls ? impl_->state.tls->reload() : Status(); }

void Server::stop() {
  std::call_once(impl_->stopped, [this] { impl_->stop(); });
}

}  // namespace millrace::serving
