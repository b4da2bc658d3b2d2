// Everything between a socket's bytes and a handler. The first byte chooses how the rest is cut
// into reads; the requests found must be the same as when it comes at once, and each must be well
// framed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "serving/http/dispatcher.h"
#include "serving/http/reply_writer.h"
#include "serving/http/request_parser.h"

namespace {

using namespace millrace;
using namespace millrace::serving;
using State = RequestParser::State;

void must(bool holds) {
  if (!holds) std::abort();
}

ParseLimits limits() {
  ParseLimits limits;
  limits.head_bytes = 1024;
  limits.target_bytes = 256;
  limits.body_bytes = 2048;
  return limits;
}

// What came of a connection's bytes.
struct Seen {
  std::vector<Request> requests;
  bool refused = false;
};

bool same(const Request& a, const Request& b) {
  return a.method == b.method && a.target == b.target && a.headers == b.headers && a.body == b.body;
}

void check_framing(const Request& request, bool http_1_0) {
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  std::size_t hosts = 0;
  for (const auto& [name, value] : request.headers) {
    lengths += name == "content-length" ? 1U : 0U;
    encodings += name == "transfer-encoding" ? 1U : 0U;
    hosts += name == "host" ? 1U : 0U;
    must(value.find_first_of("\r\n") == std::string::npos);
    if (name == "content-length") must(value == "0" || std::stoull(value) == request.body.size());
  }
  must(lengths + encodings <= 1);
  must(hosts == 1 || (http_1_0 && hosts == 0));
  must(encodings == 0 || !http_1_0);
  must(request.body.empty() || lengths + encodings == 1);
  must(request.body.size() <= limits().body_bytes);
  must(request.target.size() <= limits().target_bytes);
}

Seen read(std::string_view bytes, std::size_t piece) {
  Seen seen;
  RequestParser parser(limits());
  std::string buffer;
  while (!bytes.empty()) {
    const std::size_t n = std::min(piece, bytes.size());
    buffer += bytes.substr(0, n);
    bytes.remove_prefix(n);
    while (!buffer.empty()) {
      const std::size_t taken = parser.feed(buffer);
      must(taken <= buffer.size());
      buffer.erase(0, taken);
      if (parser.state() == State::kFailed) {
        must(parser.status() >= 400 && parser.status() < 600 && !parser.reason().empty());
        seen.refused = true;
        return seen;
      }
      if (parser.state() != State::kDone) break;
      check_framing(parser.request(), parser.http_1_0());
      seen.requests.push_back(parser.request());
      parser.reset();
    }
    must(buffer.size() <= limits().head_bytes);
  }
  return seen;
}

// The same for every input: two routes behind a dispatcher.
struct Site {
  Metrics metrics;
  ManualClock clock{0};
  HttpMetrics http{metrics, {}};
  Dispatcher dispatcher{Router({{"GET", "/v1/items/{id}", Policy::kPublic, echo},
                                {"POST", "/v1/lists/{list}.atom", Policy::kPublic, echo}}),
                        {.gate = gate(clock)},
                        4096,
                        http};
  ReplyWriter writer{clock, 64, 1};

  // Every sender is a trusted proxy, so that each X-Forwarded-For is read.
  static std::shared_ptr<Gate> gate(const Clock& clock) {
    GateOptions options;
    options.addresses.failures = 3;
    options.trusted_proxies = {AddressRange::parse("::/0").value()};
    options.cors_origins = {"https://a.example"};
    return std::make_shared<Gate>(options, GateLinks{}, clock);
  }

  static Answer echo(const Request& request) {
    Reply reply;
    for (const auto& [name, value] : request.params) reply.body += name + "=" + value + "\n";
    reply.body += request.body;
    reply.headers = {{"ETag", "\"x\""},
                     {"X-Echo", std::string(request.query_value("q").value_or(""))}};
    return reply;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Seen whole = read(bytes, bytes.size());
  const Seen pieces = read(bytes, std::max<std::size_t>(1, data[0]));
  must(std::equal(whole.requests.begin(), whole.requests.end(), pieces.requests.begin(),
                  pieces.requests.end(), same));
  // An unfinished request may be refused at once or only when it is whole, but nothing that is fine
  // at once is refused in pieces.
  must(whole.refused || !pieces.refused);
  static Site site;
  for (Request& request : whole.requests) {
    Dispatcher::Outcome outcome = site.dispatcher.dispatch(request);
    const WireReply wire = site.writer.write(std::get<Reply>(std::move(outcome.answer)), request,
                                             Persistence::kKeepAlive, false);
    must(wire.head.ends_with("\r\n\r\n"));
    must(wire.head.find("\r\n\r\n") == wire.head.size() - 4);
  }
  return 0;
}
