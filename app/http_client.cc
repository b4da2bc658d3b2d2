#include "app/http_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace millrace::app {
namespace {

constexpr std::size_t kMaxHeadBytes = 64 * 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

tl::unexpected<Error> broken(const std::string& why) { return fail(Code::kIo, why); }

std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Waits until the socket is ready for `events`.
Status wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, events, 0};
    const int wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
    const int ready = ::poll(&waiting, 1, wait);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return broken(std::strerror(errno));
    if (ready == 0 && left.count() <= 0) {
      return fail(Code::kTimeout, "the server did not answer in time");
    }
  }
}

Result<HttpReply> parse_head(std::string_view head) {
  HttpReply reply;
  std::size_t end = head.find("\r\n");
  const std::string_view first = head.substr(0, end);
  const auto status = first.size() >= 12 ? number(first.substr(9, 3), 10) : std::nullopt;
  if (first.substr(0, 7) != "HTTP/1." || !status) return broken("the server does not speak HTTP/1");
  reply.status = static_cast<int>(*status);
  while (end != head.npos) {
    const std::size_t start = end + 2;
    end = head.find("\r\n", start);
    const auto field = head.substr(start, end == head.npos ? head.npos : end - start);
    const std::size_t colon = field.find(':');
    if (colon == field.npos) return broken("the server sent a header without a colon");
    reply.headers.emplace_back(lower(field.substr(0, colon)), trimmed(field.substr(colon + 1)));
  }
  return reply;
}

}  // namespace

const std::string* HttpReply::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

HttpClient::HttpClient(Url url, HttpTimeouts timeouts)
    : url_(std::move(url)), timeouts_(timeouts) {}

HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  used_ = false;
  buffer_.clear();
}

Status HttpClient::connect() {
  close();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code =
      ::getaddrinfo(url_.host.c_str(), std::to_string(url_.port).c_str(), &hints, &list);
  if (code != 0) {
    return fail(Code::kUnavailable, "cannot find " + url_.host + ": " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  const Deadline deadline = std::chrono::steady_clock::now() + timeouts_.connect;
  Status last = fail(Code::kUnavailable, url_.host + " has no address");
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    const int fd = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    last = connect_to(fd, each->ai_addr, each->ai_addrlen, deadline);
    if (last.has_value()) return last;
    ::close(fd);
  }
  return fail(Code::kUnavailable,
              "cannot connect to " + url_.authority() + ": " + last.error().detail);
}

Status HttpClient::connect_to(int fd, const void* address, std::uint32_t size, Deadline deadline) {
  if (::connect(fd, static_cast<const sockaddr*>(address), size) != 0) {
    if (errno != EINPROGRESS) return broken(std::strerror(errno));
    MILLRACE_CHECK(wait_for(fd, POLLOUT, deadline));
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return broken(std::strerror(error));
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fd_ = fd;
  return {};
}

std::string HttpClient::encode(const HttpRequest& request) const {
  std::string out = request.method + " " + url_.prefix + request.target +
                    " HTTP/1.1\r\nHost: " + url_.authority() + "\r\n";
  for (const auto& [name, value] : request.headers) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method != "GET") {
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return out.append("\r\n").append(request.body);
}

Result<HttpReply> HttpClient::exchange(const HttpRequest& request) {
  const bool kept = fd_ >= 0 && used_;
  if (fd_ < 0) MILLRACE_CHECK(connect());
  const std::string bytes = encode(request);
  const auto try_once = [&]() -> Result<HttpReply> {
    const Deadline deadline = std::chrono::steady_clock::now() + timeouts_.exchange;
    // A server may answer and close before it has read all, so a reply counts although writing
    // failed.
    const Status written = write_all(bytes, deadline);
    if (!written.has_value() && written.error().code == Code::kTimeout) {
      return tl::unexpected<Error>(written.error());
    }
    return read_reply(request, deadline);
  };
  Result<HttpReply> reply = try_once();
  const bool silent = !reply.has_value() && reply.error().code == Code::kIo && buffer_.empty();
  if (kept && silent) {
    MILLRACE_CHECK(connect());
    reply = try_once();
  }
  if (!reply.has_value()) close();
  return reply;
}

Status HttpClient::write_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      MILLRACE_CHECK(wait_for(fd_, POLLOUT, deadline));
    } else if (errno != EINTR) {
      return broken(std::strerror(errno));
    }
  }
  return {};
}

Result<bool> HttpClient::fill(Deadline deadline) {
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t got = ::recv(fd_, block.data(), block.size(), 0);
    if (got > 0) {
      buffer_.append(block.data(), static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0) return false;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      MILLRACE_CHECK(wait_for(fd_, POLLIN, deadline));
    } else if (errno != EINTR) {
      return broken(std::strerror(errno));
    }
  }
}

Result<HttpReply> HttpClient::read_reply(const HttpRequest& request, Deadline deadline) {
  HttpReply reply;
  do {
    MILLRACE_TRY(reply, read_head(deadline));
  } while (reply.status >= 100 && reply.status < 200);
  const std::string* length = reply.header("content-length");
  const std::string* coding = reply.header("transfer-encoding");
  const std::string* connection = reply.header("connection");
  bool last = connection != nullptr && lower(*connection).find("close") != std::string::npos;
  if (request.method == "HEAD" || reply.status == 204 || reply.status == 304) {
    // Nothing follows.
  } else if (coding != nullptr && lower(*coding).find("chunked") != std::string::npos) {
    MILLRACE_TRY(reply.body, read_chunked(deadline));
  } else if (length != nullptr) {
    const auto size = number(*length, 10);
    if (!size || *size > kMaxReplyBytes) return broken("the reply has a bad length: " + *length);
    MILLRACE_CHECK(read_bytes(*size, reply.body, deadline));
  } else {
    MILLRACE_TRY(reply.body, read_to_end(deadline));
    last = true;
  }
  used_ = true;
  if (last) close();
  return reply;
}

Result<HttpReply> HttpClient::read_head(Deadline deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos) {
    if (buffer_.size() > kMaxHeadBytes) return broken("the reply's header is too long");
    MILLRACE_TRY(const bool more, fill(deadline));
    if (!more) return broken("the server closed the connection before a whole reply");
  }
  auto reply = parse_head(std::string_view(buffer_).substr(0, end));
  buffer_.erase(0, end + 4);
  return reply;
}

Status HttpClient::read_bytes(std::size_t size, std::string& into, Deadline deadline) {
  while (buffer_.size() < size) {
    MILLRACE_TRY(const bool more, fill(deadline));
    if (!more) return broken("the server closed the connection in the middle of a reply");
  }
  into.append(buffer_, 0, size);
  buffer_.erase(0, size);
  return {};
}

Result<std::string> HttpClient::read_line(Deadline deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == buffer_.npos) {
    if (buffer_.size() > kMaxHeadBytes) return broken("a line of the reply is too long");
    MILLRACE_TRY(const bool more, fill(deadline));
    if (!more) return broken("the server closed the connection in the middle of a reply");
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

Result<std::string> HttpClient::read_chunked(Deadline deadline) {
  std::string body;
  for (;;) {
    MILLRACE_TRY(const std::string line, read_line(deadline));
    const auto size = number(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
    if (!size || *size > kMaxReplyBytes || body.size() + *size > kMaxReplyBytes) {
      return broken("the reply has a bad chunk");
    }
    if (*size == 0) break;
    MILLRACE_CHECK(read_bytes(*size, body, deadline));
    MILLRACE_TRY(const std::string end, read_line(deadline));
    if (!end.empty()) return broken("the reply has a chunk without an end");
  }
  for (;;) {  // trailers
    MILLRACE_TRY(const std::string line, read_line(deadline));
    if (line.empty()) return body;
  }
}

Result<std::string> HttpClient::read_to_end(Deadline deadline) {
  for (;;) {
    if (buffer_.size() > kMaxReplyBytes) return broken("the reply is too long");
    MILLRACE_TRY(const bool more, fill(deadline));
    if (!more) return std::exchange(buffer_, {});
  }
}

}  // namespace millrace::app
