#include "serving/http/worker.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <random>
#include <utility>

#include "base/log.h"
#include "serving/http/connection.h"

namespace millrace::serving {
namespace {

// How late a deadline may be noticed. One timer for all connections of a thread is much cheaper
// than arming one per read and write.
constexpr std::chrono::milliseconds kTick{50};

// Of all addresses, in their order.
std::vector<Route> routes_of(const Router& router, const std::vector<FurtherAddress>& further) {
  auto routes = router.routes();
  for (const auto& one : further) {
    routes.insert(routes.end(), one.routes.begin(), one.routes.end());
  }
  return routes;
}

}  // namespace

bool AddressCounts::add(const std::string& address, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = counts_[address];
  if (count >= limit) {
    if (count == 0) counts_.erase(address);
    return false;
  }
  ++count;
  return true;
}

void AddressCounts::remove(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto entry = counts_.find(address);
  if (entry != counts_.end() && --entry->second == 0) counts_.erase(entry);
}

ServerState::ServerState(ServerOptions o, Router router, Metrics& m, const Clock& c)
    : options(std::move(o)), clock(c), metrics(m, routes_of(router, options.further)) {
  std::size_t first_route = 0;
  const auto add = [&](Router serves) {
    const auto routes = serves.routes().size();
    dispatchers.push_back(std::make_unique<Dispatcher>(
        std::move(serves), Dispatcher::Checks{options.authorize, options.catch_up, options.gate},
        static_cast<std::size_t>(options.parse.body_bytes), metrics, first_route));
    first_route += routes;
  };
  add(std::move(router));
  for (const auto& further : options.further) add(Router(further.routes));
}

void Mailbox::post(std::function<void()> job) { boost::asio::post(worker->io(), std::move(job)); }

Worker::Worker(ServerState& state)
    : state_(state),
      work_(io_.get_executor()),
      timer_(io_),
      writer_(state.clock, state.options.gzip_min_bytes, state.options.gzip_level),
      ids_((std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}()) {
  mailbox_->worker = this;
}

Worker::~Worker() { end(); }

void Worker::start() {
  boost::asio::post(io_, [this] { tick(); });
  thread_ = std::jthread([this] { run(); });
}

void Worker::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      log_error(std::string("an HTTP thread caught: ") + error.what());
    }
  }
}

void Worker::tick() {
  const std::int64_t now = steady_micros();
  for (auto it = connections_.begin(); it != connections_.end();) {
    const std::shared_ptr<Connection> connection = *it++;  // it may take itself off the list
    connection->on_tick(now);
  }
  if (ended_) return;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Worker::adopt(boost::asio::ip::tcp::socket socket, std::string peer,
                   const Dispatcher& dispatcher) {
  if (!state_.tls) return begin(std::move(socket), std::move(peer), dispatcher);
  if (ended_) return release(peer);
  if (!tls_) {
    const ServerOptions& options = state_.options;
    tls_.emplace(io_, *state_.tls, TlsDeadlines{options.head_deadline, options.write_deadline});
  }
  tls_->admit(std::move(socket), [this, &dispatcher, peer = std::move(peer)](auto plain) {
    if (!plain) return release(peer);
    begin(*std::move(plain), peer, dispatcher);
  });
}

void Worker::release(const std::string& peer) {
  state_.addresses.remove(peer);
  open_.fetch_sub(1);
  state_.metrics.levels().connections.fetch_sub(1);
}

void Worker::begin(boost::asio::ip::tcp::socket socket, std::string peer,
                   const Dispatcher& dispatcher) {
  auto connection =
      std::make_shared<Connection>(std::move(socket), std::move(peer), *this, dispatcher);
  places_[connection.get()] = connections_.insert(connections_.end(), connection);
  if (ended_) return connection->close();
  connection->start();
}

void Worker::remove(const Connection& connection) {
  const auto place = places_.find(&connection);
  if (place == places_.end()) return;
  connections_.erase(place->second);
  places_.erase(place);
}

void Worker::post_stop() {
  boost::asio::post(io_, [this] {
    for (auto it = connections_.begin(); it != connections_.end();) {
      const std::shared_ptr<Connection> connection = *it++;
      connection->stop();
    }
  });
}

void Worker::close_all() {
  while (!connections_.empty()) connections_.front()->close();
}

void Worker::end() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] {
    ended_ = true;
    close_all();
    if (tls_) tls_->close_all();
    timer_.cancel();
  });
  work_.reset();
  thread_.join();
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->worker = nullptr;
}

std::string Worker::mint_request_id() {
  // splitmix64: distinct for 2^64 requests, which is all that a request id must be.
  std::uint64_t z = (ids_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  z ^= z >> 31U;
  std::string id(16, '0');
  for (char& c : id) {
    c = "0123456789abcdef"[z & 15U];
    z >>= 4U;
  }
  return id;
}

}  // namespace millrace::serving
