#include "serving/http/reply_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "serving/http/problem.h"

namespace millrace::serving {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_two_digits(std::string& out, int number) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

bool same_name(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string* find_header(Reply& reply, std::string_view lower) {
  for (auto& [name, value] : reply.headers) {
    if (same_name(name, lower)) return &value;
  }
  return nullptr;
}

// A line break in a value would let whoever chose the value write headers of their own.
void append_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    out += control ? ' ' : c;
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  append_value(out, value);
  out += "\r\n";
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

void append_start(std::string& head, const Reply& reply, bool chunked) {
  head.reserve(384);
  head += "HTTP/1.1 ";
  append_number(head, static_cast<std::uint64_t>(reply.status));
  head += ' ';
  head += reason_phrase(reply.status);
  head += "\r\n";
  if (!has_no_body(reply.status) && !reply.content_type.empty()) {
    append_header(head, "Content-Type", reply.content_type);
  }
  for (const auto& [name, value] : reply.headers) append_header(head, name, value);
  if (has_no_body(reply.status)) return;
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (reply.stream == nullptr || reply.length) {
    head += "Content-Length: ";
    append_number(head, reply.length.value_or(reply.body.size()));
    head += "\r\n";
  }
}

void append_limit(std::string& head, const RateLimit& limit) {
  head += "RateLimit-Limit: ";
  append_number(head, limit.limit);
  head += "\r\nRateLimit-Remaining: ";
  append_number(head, limit.left);
  head += "\r\nRateLimit-Reset: ";
  append_number(head, limit.reset_s);
  head += "\r\n";
}

}  // namespace

std::string http_date(UnixMillis time) {
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  std::string out(kDays[static_cast<std::size_t>(tm.tm_wday)]);
  out += ", ";
  append_two_digits(out, tm.tm_mday);
  out += ' ';
  out += kMonths[static_cast<std::size_t>(tm.tm_mon)];
  out += ' ' + std::to_string(tm.tm_year + 1900) + ' ';
  append_two_digits(out, tm.tm_hour);
  out += ':';
  append_two_digits(out, tm.tm_min);
  out += ':';
  append_two_digits(out, tm.tm_sec);
  return out + " GMT";
}

ReplyWriter::ReplyWriter(const Clock& clock, std::size_t gzip_min_bytes, int gzip_level)
    : clock_(clock), gzip_min_bytes_(gzip_min_bytes), gzip_level_(gzip_level) {}

const std::string& ReplyWriter::date_line() {
  const UnixMillis now = clock_.now();
  if (now / 1000 != date_second_) {
    date_second_ = now / 1000;
    date_line_ = "Date: " + http_date(now) + "\r\n";
  }
  return date_line_;
}

// True when the body was compressed.
bool ReplyWriter::gzip(Reply& reply, const Request& request) {
  if (reply.body.size() < gzip_min_bytes_ || !is_compressible(reply.content_type)) return false;
  if (find_header(reply, "content-encoding") != nullptr) return false;
  reply.headers.emplace_back("Vary", "Accept-Encoding");
  if (reply.status == 304) return false;
  const auto accepted = request.header("accept-encoding");
  if (!accepted || !accepts_gzip(*accepted)) return false;
  if (!gzipper_) gzipper_.emplace(gzip_level_);
  reply.body = gzipper_->compress(reply.body);
  reply.headers.emplace_back("Content-Encoding", "gzip");
  return true;
}

WireReply ReplyWriter::write(Reply reply, const Request& request, Persistence persistence,
                             bool http_1_0) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const std::string* etag = find_header(reply, "etag");
  if (reply.status == 200 && reads && etag != nullptr) {
    const auto known = request.header("if-none-match");
    if (known && etag_matches(*known, *etag)) reply.status = 304;
  }
  if (gzip(reply, request)) {
    // The bytes are no longer those that a strong tag stands for.
    std::string* tag = find_header(reply, "etag");
    if (tag != nullptr && !tag->starts_with("W/")) tag->insert(0, "W/");
  }
  WireReply wire;
  wire.status = reply.status;
  wire.chunked = reply.stream != nullptr && !reply.length && !http_1_0;
  append_start(wire.head, reply, wire.chunked);
  wire.head += date_line();
  const auto id = request.header("x-request-id");
  if (id) append_header(wire.head, "X-Request-Id", *id);
  if (request.limit.limit != 0) append_limit(wire.head, request.limit);
  if (request.cors != nullptr) wire.head += *request.cors;
  if (persistence == Persistence::kClose) wire.head += "Connection: close\r\n";
  if (persistence == Persistence::kKeepAlive && http_1_0) wire.head += "Connection: keep-alive\r\n";
  wire.head += "\r\n";
  if (request.method == "HEAD" || has_no_body(reply.status)) return wire;
  wire.body = std::move(reply.body);
  wire.stream = std::move(reply.stream);
  wire.length = reply.length;
  return wire;
}

WireReply ReplyWriter::write(Reply reply, Persistence persistence) {
  return write(std::move(reply), Request{}, persistence, false);
}

}  // namespace millrace::serving
