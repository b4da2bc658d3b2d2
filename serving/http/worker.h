#pragma once
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serving/http/dispatcher.h"
#include "serving/http/http_metrics.h"
#include "serving/http/options.h"
#include "serving/http/reply_writer.h"
#include "serving/http/tls.h"

namespace millrace::serving {

class Connection;
class Worker;

// Connections by remote address. Thread-safe.
class AddressCounts {
 public:
  // False, and nothing is counted, when the address has `limit` already.
  bool add(const std::string& address, std::size_t limit);
  void remove(const std::string& address);

 private:
  std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> counts_;
};

// What all threads of one server share. Thread-safe.
struct ServerState {
  ServerState(ServerOptions o, Router router, Metrics& m, const Clock& c);

  const ServerOptions options;
  std::unique_ptr<TlsIdentity> tls;  // null: none; set before the first connection
  const Clock& clock;
  HttpMetrics metrics;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers;  // of the address, and the further ones
  AddressCounts addresses;
  std::atomic<bool> stopping{false};
};

// The way back to a worker for those that may outlive it: answers that come later.
struct Mailbox {
  void post(std::function<void()> job);  // with the mutex held and a worker

  std::mutex mutex;
  Worker* worker = nullptr;  // null once the worker has ended
};

// One thread, its event loop and its connections. Everything is called on that thread only, but for
// what says otherwise.
class Worker {
 public:
  // `state` must outlive the worker.
  explicit Worker(ServerState& state);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  // Any thread. Connections close as soon as they owe no answer.
  void post_stop();
  // Any other thread. Closes what is still open, ends the loop, joins the thread.
  void end();

  // Of a connection that was counted: with TLS it shakes hands first.
  void adopt(boost::asio::ip::tcp::socket socket, std::string peer, const Dispatcher& dispatcher);
  // The connection, or what was to become one, is no more.
  void release(const std::string& peer);
  void remove(const Connection& connection);

  boost::asio::io_context& io() { return io_; }
  ServerState& state() { return state_; }
  ReplyWriter& writer() { return writer_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  std::string mint_request_id();
  // Connections that it has or was promised; any thread.
  std::atomic<std::int64_t>& open() { return open_; }

 private:
  void run();
  void tick();
  void close_all();
  void begin(boost::asio::ip::tcp::socket socket, std::string peer, const Dispatcher& dispatcher);

  ServerState& state_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  ReplyWriter writer_;
  std::optional<TlsRelays> tls_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::list<std::shared_ptr<Connection>> connections_;
  std::map<const Connection*, std::list<std::shared_ptr<Connection>>::iterator> places_;
  std::atomic<std::int64_t> open_{0};
  std::uint64_t ids_;
  bool ended_ = false;
  std::jthread thread_;
};

}  // namespace millrace::serving
