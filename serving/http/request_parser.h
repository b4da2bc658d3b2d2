#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serving/http/message.h"

namespace millrace::serving {

struct ParseLimits {
  std::size_t head_bytes = 8 * 1024;           // request line and fields; over it 431
  std::size_t target_bytes = 4 * 1024;         // over it 414
  std::uint64_t body_bytes = 8 * 1024 * 1024;  // after de-chunking; over it 413
  std::size_t chunk_head_bytes = 256;          // size and extensions of one chunk; over it 400
};

// Bytes to Request, one request at a time, with no socket. Strict where leniency lets a proxy and
// this server disagree on where a request ends: a request is refused (400, and the connection must
// be closed) for Transfer-Encoding that is not exactly "chunked", stands beside Content-Length,
// comes with HTTP/1.0 or twice; for more than one Content-Length; for trailers; for a missing or
// repeated Host in HTTP/1.1. Not thread-safe.
class RequestParser {
 public:
  enum class State {
    kHead,    // wants bytes of the request line or the fields
    kBody,    // the head is whole, wants bytes of the body
    kDone,    // request() is whole; reset() before the next feed
    kFailed,  // status() and reason() say why; nothing more can be read from this connection
  };

  explicit RequestParser(ParseLimits limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes bytes from the front and says how many; call again with the rest and more. Takes nothing
  // beyond the end of a request. Bytes not taken in kHead or kBody are incomplete: present them
  // again with their successors.
  std::size_t feed(std::string_view bytes);
  // The same for the head alone: takes nothing of the body, which begins with limit_body().
  std::size_t feed_head(std::string_view bytes);
  // Before the body: how much of it is taken, instead of the limits' body_bytes. kFailed, 413, when
  // it says to be longer. Whoever wants it piece by piece empties request().body.
  void limit_body(std::uint64_t bytes);
  std::uint64_t most_body() const;  // its Content-Length, else the limit

  State state() const { return state_; }
  bool started() const;  // a byte of this request has been seen

  // From kBody on. Its path, query, params, address and caller are not filled here.
  Request& request() { return request_; }
  bool keep_alive() const;
  bool http_1_0() const;
  bool expects_continue() const;  // "Expect: 100-continue"

  // In kFailed: the HTTP status to answer with, and why.
  int status() const { return status_; }
  std::string_view reason() const { return reason_; }

  void reset();

 private:
  class Beast;
  void refuse(int status, std::string_view reason);
  std::size_t feed_body(std::string_view bytes);
  bool over_head_limit(std::string_view untaken);
  void refuse_head(std::string_view untaken);

  ParseLimits limits_;
  Request request_;
  std::unique_ptr<Beast> beast_;
  State state_ = State::kHead;
  std::size_t head_bytes_ = 0;  // taken so far
  int status_ = 0;
  std::string_view reason_;
};

}  // namespace millrace::serving
