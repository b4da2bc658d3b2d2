#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "schemas/address.h"
#include "serving/http/caller.h"

namespace millrace::serving {

// What a client is told of the limit that it meets first (draft-ietf-httpapi-ratelimit-headers, in
// the form of its third version: RateLimit-Limit, -Remaining, -Reset).
struct RateLimit {
  std::uint32_t limit = 0;  // requests within the limit's time; 0: none, and nothing is told
  std::uint32_t left = 0;
  std::uint32_t reset_s = 0;  // until all of them are there again
};

// A whole HTTP request as values: no socket, no Beast.
struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent, percent-encoded, with its query
  std::string path;    // decoded path without query
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::map<std::string, std::string, std::less<>> params;  // {name} segments of the route, decoded
  std::string body;
  Address address;  // of the client: of its proxy until the gate has looked
  Caller caller;    // filled before the handler is called
  RateLimit limit;
  const std::string* cors = nullptr;  // header lines of Cors

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
};

// A body that is made as the client takes it: of what is too large to hold, or has no end. It is
// called on the connection's thread, which must not wait, and let go of there when all is sent or
// the client has left.
class BodyStream {
 public:
  // The bytes that follow; none when the body ends here; nothing when they cannot be had: the
  // connection is then closed, so that the client sees that the body is not whole.
  using Give = std::function<void(std::optional<std::string>)>;

  virtual ~BodyStream() = default;
  // Asks for bytes: `give` is called once, from any thread, and does nothing once the client has
  // left. What was given before is on its way; a piece of some 64 KiB is a good one.
  virtual void next(Give give) = 0;
  // The server is stopping: a body without an end ends.
  virtual void stop() {}
};

class SocketSession;
class BodySink;  // body_sink.h

// An answer. The server adds Content-Length, Connection, Date, and gzips large text when asked to.
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<BodyStream> stream;     // what comes instead of `body`; never gzipped
  std::optional<std::uint64_t> length;    // of the stream; unknown: it is sent in chunks
  std::shared_ptr<SocketSession> socket;  // with status 101: serving/http/socket_session.h
  std::shared_ptr<BodySink>
      sink;  // of a route that streams: no answer yet, but where the body goes
};

// Makes an answer whose time has come: called at most once, on the thread of the connection that
// waits for it, so that whoever learns that it is time is not held up by writing it.
using Render = std::function<Reply()>;

// An answer that comes later: `start` is called once, off the parser, and calls `finish` exactly
// once from any thread. The connection waits; its thread does not. The Request lives only until the
// handler returns: `start` holds copies of what it needs. Letting go of `finish` uncalled answers
// 500; a client that has left is not rendered for.
struct Later {
  std::function<void(std::function<void(Render)> finish)> start;
};

using Answer = std::variant<Reply, Later>;
using Handler = std::function<Answer(const Request&)>;

// Who may call a route. Every route names exactly one; the check happens before the handler, and
// answers come in the order 401, 403, 404, 400.
enum class Policy {
  kAlways,       // whatever credential is sent: health, metrics, documentation
  kPublic,       // everybody; a credential that is sent must be a good one
  kUser,         // any account, and admins
  kSelf,         // the account that {id} or {user} names
  kSelfOrAdmin,  // that one, and admins; of v1 and engine services that may read can
  kAdmin,
  kListen,  // any account, admins, services that may read; with ?ticket= the handler checks that
  kIngest,  // services that may ingest, admins, and accounts, for themselves only
  kSecret,  // who sends the header CLIENT_HEADER_SECRET, and services; never a person's token
};

// What Policy::kSecret is proved with; proxies drop names with underscores.
inline constexpr const char* kSecretHeader = "client_header_secret";
inline constexpr const char* kSecretHeaderOfProxies = "client-header-secret";

// What requests of a route count against, before their caller is known: GateOptions has the
// numbers.
enum class Allowance : std::uint8_t { kNone, kApi, kTraining, kBulk };
inline constexpr std::size_t kAllowances = 4;

// Makes a surface's own form of an error out of a problem (RFC 9457).
using ErrorForm = Reply (*)(Reply problem);

struct Route {
  std::string method;
  std::string pattern;  // "/v1/items/{id}"; a trailing slash makes no difference
  Policy policy = Policy::kPublic;
  Handler handler;
  std::string surface{};  // that it belongs to
  bool streams = false;   // the handler is asked on the head, and its Reply may have a sink
  Allowance allowance = Allowance::kNone;
  ErrorForm errors = nullptr;  // null: problems stay as they are
};

}  // namespace millrace::serving
