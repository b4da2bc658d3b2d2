#include "serving/http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <cctype>
#include <optional>

namespace millrace::serving {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view view(string_view text) { return {text.data(), text.size()}; }

bool same_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Visible ASCII only: what else a target or a host holds must be percent-encoded.
bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

constexpr std::string_view kTooLarge = "the body is too large";

struct Refusal {
  int status;
  std::string_view reason;
};

Refusal refusal_of(const error_code& error) {
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length) {
    return {400, "bad Content-Length"};
  }
  if (error == http::error::bad_transfer_encoding) return {400, "bad Transfer-Encoding"};
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension) {
    return {400, "bad chunk"};
  }
  return {400, "this is not an HTTP request"};
}

}  // namespace

// Beast's parser takes the bytes apart; this class keeps the pieces and checks how the body is
// framed.
class RequestParser::Beast {
 public:
  Beast(Request& request, const ParseLimits& limits) : request_(request), limits_(limits) {
    renew();
  }

  void renew() {
    fields_ = {};
    refusal_.reset();
    body_limit_ = limits_.body_bytes;
    body_bytes_ = 0;
    parser_.emplace(*this);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    parser_->body_limit(boost::none);  // it would be asked with the head, before the route
  }

  std::size_t put(std::string_view bytes, error_code& error) {
    return parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }

  bool started() const { return parser_->got_some(); }
  bool head_done() const { return parser_->is_header_done(); }
  bool done() const { return parser_->is_done(); }
  bool keep_alive() const { return parser_->keep_alive(); }
  bool http_1_0() const { return fields_.version == 10; }
  bool chunked() const { return fields_.encodings > 0; }
  bool expects_continue() const { return fields_.expects_continue; }
  const std::optional<Refusal>& refusal() const { return refusal_; }
  std::uint64_t most_body() const {
    const auto length = parser_->content_length();
    return length ? *length : body_limit_;
  }
  bool limit_body(std::uint64_t bytes) {
    body_limit_ = bytes;
    return most_body() <= bytes;
  }

 private:
  struct Parser final : http::basic_parser<true> {
    explicit Parser(Beast& o) : owner(o) {}

    void on_request_impl(http::verb, string_view method, string_view target, int version,
                         error_code& error) override {
      owner.on_request(view(method), view(target), version, error);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field id, string_view name, string_view value,
                       error_code& error) override {
      owner.on_field(id, view(name), view(value), error);
    }
    void on_header_impl(error_code& error) override { owner.on_head(error); }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
      // Untouched pages cost nothing, and a body that comes whole is then copied once.
      if (length && *length <= owner.limits_.body_bytes) {
        owner.request_.body.reserve(static_cast<std::size_t>(*length));
      }
    }
    std::size_t on_body_impl(string_view bytes, error_code&) override {
      owner.request_.body.append(bytes.data(), bytes.size());
      return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t size, string_view extensions,
                              error_code& error) override {
      if (size > owner.body_limit_ - owner.body_bytes_) {
        return owner.refuse(413, kTooLarge, error);
      }
      owner.body_bytes_ += size;
      if (extensions.size() > owner.limits_.chunk_head_bytes) {
        owner.refuse(400, "chunk extensions are too long", error);
      }
    }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
      owner.request_.body.append(bytes.data(), bytes.size());
      return bytes.size();
    }
    void on_finish_impl(error_code&) override {}

    Beast& owner;
  };

  struct Fields {
    int version = 11;
    bool head_done = false;
    bool expects_continue = false;
    bool other_expectation = false;
    int hosts = 0;
    int lengths = 0;
    int encodings = 0;
    bool bad_host = false;
    bool bad_length = false;
    bool bad_encoding = false;
  };

  void refuse(int status, std::string_view reason, error_code& error) {
    refusal_ = Refusal{status, reason};
    error = http::error::bad_value;
  }

  void on_request(std::string_view method, std::string_view target, int version,
                  error_code& error) {
    fields_.version = version;
    if (target.size() > limits_.target_bytes) return refuse(414, "the target is too long", error);
    if (!is_visible(target)) return refuse(400, "the target holds unencoded characters", error);
    request_.method = method;
    request_.target = target;
  }

  void on_field(http::field id, std::string_view name, std::string_view value, error_code& error) {
    if (fields_.head_done) return refuse(400, "trailers are not accepted", error);
    switch (id) {
      case http::field::host:
        ++fields_.hosts;
        fields_.bad_host |= !is_visible(value) || value.find_first_of("/?#@,") != value.npos;
        break;
      case http::field::content_length:
        ++fields_.lengths;
        fields_.bad_length |= !is_number(value);
        break;
      case http::field::transfer_encoding:
        ++fields_.encodings;
        fields_.bad_encoding |= !same_ignoring_case(value, "chunked");
        break;
      case http::field::expect:
        fields_.expects_continue = same_ignoring_case(value, "100-continue");
        fields_.other_expectation |= !fields_.expects_continue;
        break;
      default: break;
    }
    std::string lower(name);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    request_.headers.emplace_back(std::move(lower), value);
  }

  void on_head(error_code& error) {
    fields_.head_done = true;
    const Fields& f = fields_;
    if (f.encodings > 1 || f.bad_encoding) {
      return refuse(400, "the only Transfer-Encoding accepted is 'chunked'", error);
    }
    if (f.encodings == 1 && f.version == 10) {
      return refuse(400, "Transfer-Encoding is not part of HTTP/1.0", error);
    }
    if (f.encodings == 1 && f.lengths > 0) {
      return refuse(400, "Transfer-Encoding and Content-Length exclude each other", error);
    }
    if (f.lengths > 1 || f.bad_length) return refuse(400, "bad Content-Length", error);
    if (f.hosts > 1 || f.bad_host) return refuse(400, "bad Host", error);
    if (f.hosts == 0 && f.version == 11) return refuse(400, "Host is missing", error);
    if (f.other_expectation) return refuse(417, "the only expectation met is 100-continue", error);
    if (f.version == 10) fields_.expects_continue = false;
  }

  Request& request_;
  const ParseLimits& limits_;
  Fields fields_;
  std::optional<Refusal> refusal_;
  std::uint64_t body_limit_ = 0;
  std::uint64_t body_bytes_ = 0;  // of chunks
  std::optional<Parser> parser_;  // one per request: Beast's parsers cannot be used twice
};

RequestParser::RequestParser(ParseLimits limits)
    : limits_(limits), beast_(std::make_unique<Beast>(request_, limits_)) {}
RequestParser::~RequestParser() = default;

bool RequestParser::started() const { return beast_->started(); }
bool RequestParser::keep_alive() const { return beast_->keep_alive(); }
bool RequestParser::http_1_0() const { return beast_->http_1_0(); }
bool RequestParser::expects_continue() const { return beast_->expects_continue(); }
std::uint64_t RequestParser::most_body() const { return beast_->most_body(); }

void RequestParser::limit_body(std::uint64_t bytes) {
  if (!beast_->limit_body(bytes)) refuse(413, kTooLarge);
}

void RequestParser::reset() {
  request_.method.clear();
  request_.target.clear();
  request_.path.clear();
  request_.query.clear();
  request_.headers.clear();
  request_.params.clear();
  // Capacity is kept for the next request, but not for the sake of one large body.
  constexpr std::size_t kKeptCapacity = 64 * 1024;
  if (request_.body.capacity() > kKeptCapacity) request_.body = {};
  request_.body.clear();
  beast_->renew();
  state_ = State::kHead;
  head_bytes_ = 0;
}

void RequestParser::refuse(int status, std::string_view reason) {
  state_ = State::kFailed;
  status_ = status;
  reason_ = reason;
}

// Beast bounds what it is shown at once, not the sum of what it has taken.
bool RequestParser::over_head_limit(std::string_view untaken) {
  if (head_bytes_ + untaken.size() <= limits_.head_bytes) return false;
  refuse_head(untaken);
  return true;
}

void RequestParser::refuse_head(std::string_view untaken) {
  if (head_bytes_ == 0 && untaken.find("\r\n") == std::string_view::npos) {
    refuse(414, "the request line is too long");
  } else {
    refuse(431, "the header fields are too large");
  }
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  std::size_t taken = 0;
  // RFC 9112 2.2: an empty line before the request line is to be ignored.
  while (!started() && bytes.substr(taken).starts_with("\r\n")) taken += 2;
  if (!started() && bytes.substr(taken) == "\r") return taken;
  if (taken == bytes.size()) return taken;
  error_code error;
  const std::size_t head = beast_->put(bytes.substr(taken), error);
  taken += head;
  head_bytes_ += head;
  if (beast_->refusal()) {
    refuse(beast_->refusal()->status, beast_->refusal()->reason);
  } else if (error == http::error::header_limit) {
    refuse_head(bytes.substr(taken));
  } else if (error == http::error::need_more) {
    over_head_limit(bytes.substr(taken));
  } else if (error) {
    const Refusal refusal = refusal_of(error);
    refuse(refusal.status, refusal.reason);
  } else if (!over_head_limit({}) && beast_->head_done()) {
    state_ = beast_->done() ? State::kDone : State::kBody;
  }
  return taken;
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
  std::size_t taken = 0;
  // A chunked body ends in five bytes at least. Beast asserts that it never sees fewer of the last
  // chunk, and so must not be shown them.
  const std::size_t least = beast_->chunked() ? std::string_view("0\r\n\r\n").size() : 1;
  while (taken + least <= bytes.size() && !beast_->done()) {
    error_code error;
    const std::size_t n = beast_->put(bytes.substr(taken), error);
    taken += n;
    if (beast_->refusal()) {
      refuse(beast_->refusal()->status, beast_->refusal()->reason);
      return taken;
    }
    if (error == http::error::need_more) {
      // Only a chunk's head is left untaken, and Beast lets it grow without end.
      if (bytes.size() - taken > limits_.chunk_head_bytes) refuse(400, "bad chunk");
      return taken;
    }
    if (error) {
      const Refusal refusal = refusal_of(error);
      refuse(refusal.status, refusal.reason);
      return taken;
    }
  }
  if (beast_->done()) state_ = State::kDone;
  return taken;
}

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  if (state_ == State::kHead) {
    taken = feed_head(bytes);
    if (state_ == State::kBody) limit_body(limits_.body_bytes);
  }
  if (state_ == State::kBody) taken += feed_body(bytes.substr(taken));
  return taken;
}

}  // namespace millrace::serving
