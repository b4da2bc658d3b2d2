#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "serving/http/tls_files.h"

namespace millrace::serving {

// A certificate and its key, for TLS 1.2 and later. Thread-safe.
class TlsIdentity {
 public:
  // kInvalid: the files cannot be read, or do not belong together.
  static Result<std::unique_ptr<TlsIdentity>> open(TlsFiles files);
  ~TlsIdentity();

  // Reads the files again, for connections from now on. After a failure the old ones hold.
  Status reload();

  struct Context;
  std::shared_ptr<Context> context() const;

 private:
  explicit TlsIdentity(TlsFiles files);
  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<Context> context_;
};

struct TlsDeadlines {
  std::chrono::milliseconds handshake;
  std::chrono::milliseconds write;  // of what one read gave
};

// The TLS connections of one thread. Each stands between its client and a socket pair, of which the
// server gets the end that speaks plainly: connections without TLS then cost nothing for those with
// it, and these one copy more. Everything is called on the thread of `io`.
class TlsRelays {
 public:
  // Both must outlive this object.
  TlsRelays(boost::asio::io_context& io, const TlsIdentity& identity, TlsDeadlines deadlines);
  ~TlsRelays();

  // Shakes hands, then gives `deliver` the plain socket; nothing when it does not come to that.
  using Deliver = std::function<void(std::optional<boost::asio::ip::tcp::socket>)>;
  void admit(boost::asio::ip::tcp::socket client, Deliver deliver);
  void close_all();

 private:
  class Relay;
  boost::asio::io_context& io_;
  const TlsIdentity& identity_;
  const TlsDeadlines deadlines_;
  std::set<std::shared_ptr<Relay>> relays_;
};

}  // namespace millrace::serving
