#pragma once
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "serving/http/options.h"
#include "serving/http/router.h"

namespace millrace::serving {

// An HTTP/1.1 and 1.0 server. Handlers run on its threads, many at once, and must not block: what
// takes time returns a Later. The Request that a handler gets lives until the handler returns; a
// Later keeps copies of what it needs. A connection's requests are answered one after the other, in
// their order.
class Server {
 public:
  // Listens from here on. `metrics` and `clock` must outlive the server. kConflict when the address
  // is taken, kInvalid when it is none.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Router router,
                                               Metrics& metrics, const Clock& clock);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;                       // the one bound, where 0 was asked for
  std::uint16_t further_port(std::size_t i) const;  // the same of ServerOptions::further[i]

  // Reads certificate and key again, for connections from now on; any thread. After a failure the
  // old ones hold.
  Status reload_tls();

  // Accepts no more, lets requests in flight finish until the stop deadline, closes. Any thread but
  // the server's own; the second call does nothing.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::serving
