#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "serving/http/encoding.h"
#include "serving/http/message.h"

namespace millrace::serving {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string http_date(UnixMillis time);

enum class Persistence { kKeepAlive, kClose };

// What a reply looks like on the wire.
struct WireReply {
  int status = 0;                       // as sent: 304 where the client had the answer
  std::string head;                     // status line to empty line
  std::string body;                     // empty for HEAD, 204 and 304
  std::shared_ptr<BodyStream> stream;   // follows the head; null: nothing does
  std::optional<std::uint64_t> length;  // of the stream
  bool chunked = false;                 // the stream
};

// Turns replies into bytes: answers If-None-Match, gzips, adds Date, Content-Length, Connection,
// Vary, X-Request-Id, and what the request says of limits and origins. One per thread; not
// thread-safe.
class ReplyWriter {
 public:
  // `clock` must outlive this object.
  ReplyWriter(const Clock& clock, std::size_t gzip_min_bytes, int gzip_level);

  // `http_1_0`: the client does not keep alive unless told so.
  WireReply write(Reply reply, const Request& request, Persistence persistence, bool http_1_0);

  // A reply to something that never became a request.
  WireReply write(Reply reply, Persistence persistence);

 private:
  const std::string& date_line();
  bool gzip(Reply& reply, const Request& request);

  const Clock& clock_;
  std::size_t gzip_min_bytes_;
  int gzip_level_;
  std::optional<Gzipper> gzipper_;  // made on first use: it holds 256 KiB
  std::int64_t date_second_ = -1;
  std::string date_line_;
};

}  // namespace millrace::serving
