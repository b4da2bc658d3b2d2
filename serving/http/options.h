#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serving/http/gate.h"
#include "serving/http/message.h"
#include "serving/http/request_parser.h"
#include "serving/http/tls_files.h"

namespace millrace::serving {

// Asked before the handler of a matched route; an answer (401, 403) ends the request there. Fills
// the request's caller. Called from the server's threads at once; must not block.
using Authorize = std::function<std::optional<Reply>(Request&, const Route&)>;

// Asked when nothing is found, or a credential is not known, although another node may have made it
// just now: `then` hears true once this node knows of all that there was. Must not block.
using CatchUp = std::function<void(std::function<void(bool caught_up)> then)>;

// An address beside the first, and what is served there.
struct FurtherAddress {
  std::string address;
  std::uint16_t port = 0;  // 0: any free one
  std::vector<Route> routes;
};

// How a server listens and what it puts up with. Every limit answers with the status named, counts
// in http_rejected_total{reason}, and is met again by whoever comes next.
struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                      // 0: any free one
  std::vector<FurtherAddress> further;         // limits, threads and TLS are the server's
  unsigned threads = 0;                        // 0: one per core
  Authorize authorize = nullptr;               // null: everything is open
  CatchUp catch_up = nullptr;                  // null: nobody else makes things
  std::shared_ptr<Gate> gate;                  // null: no limits, blocks, proxies and CORS
  std::function<void(Reply&)> mark = nullptr;  // what every answer says beside its own, if set

  TlsFiles tls;  // empty: none, connections are plain

  ParseLimits parse;                                 // 431, 414, 413, 400
  std::size_t max_connections = 10'000;              // 503, closed
  std::size_t max_connections_per_address = 10'000;  // 503, closed
  std::size_t max_in_flight = 4'096;                 // answers that are waited for: 429
  std::size_t max_body_memory =
      256 * 1024 * 1024;  // bytes of all bodies being received: 429, closed
  std::size_t max_pipelined =
      16;  // answers held back to be written at once; no more is read before

  // From the last answer to the next byte; the connection is closed.
  std::chrono::milliseconds idle_deadline = std::chrono::seconds(30);
  // From the first byte to the end of the fields, and from there to the end of the body: 408,
  // closed.
  std::chrono::milliseconds head_deadline = std::chrono::seconds(5);
  std::chrono::milliseconds body_deadline = std::chrono::seconds(10);
  // A body that streams has as much more as its bytes take at this rate.
  std::size_t body_bytes_per_second = 64 * 1024;
  // For a write, and as much more as its bytes take at the rate below; a slower reader is cut off.
  std::chrono::milliseconds write_deadline = std::chrono::seconds(10);
  std::size_t write_bytes_per_second = 64 * 1024;
  // For a Later to finish: 503. The connection goes on; a late finish is dropped.
  std::chrono::milliseconds later_deadline = std::chrono::seconds(15);
  // For the next piece of a body that is streamed: closed.
  std::chrono::milliseconds stream_deadline = std::chrono::seconds(60);
  // For requests in flight when stop() is called.
  std::chrono::milliseconds stop_deadline = std::chrono::seconds(5);

  std::size_t gzip_min_bytes = 1024;
  int gzip_level = 1;
};

}  // namespace millrace::serving
