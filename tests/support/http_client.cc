#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace millrace {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

HttpReply parse_head(std::string_view head) {
  HttpReply reply;
  std::size_t eol = head.find("\r\n");
  const std::string line(head.substr(0, eol));
  if (line.size() < 12 || line.substr(0, 5) != "HTTP/") {
    throw std::runtime_error("not an HTTP reply: " + line);
  }
  reply.status = std::stoi(line.substr(9, 3));
  while (eol != std::string_view::npos) {
    const std::size_t start = eol + 2;
    eol = head.find("\r\n", start);
    const std::string_view field =
        head.substr(start, eol == std::string_view::npos ? std::string_view::npos : eol - start);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = field.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    reply.headers.emplace_back(lower(std::string(field.substr(0, colon))), value);
  }
  return reply;
}

}  // namespace

std::string HttpReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

HttpClient::HttpClient(std::uint16_t port, std::chrono::milliseconds deadline, std::string source)
    : port_(port), deadline_(deadline), source_(std::move(source)) {
  connect();
}

HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  reused_ = false;
  buffer_.clear();
}

void HttpClient::shut_sending() { ::shutdown(fd_, SHUT_WR); }

void HttpClient::connect() {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  const auto count = deadline_.count();
  timeval wait{};
  wait.tv_sec = static_cast<time_t>(count / 1000);
  wait.tv_usec = static_cast<suseconds_t>(count % 1000 * 1000);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!source_.empty()) {
    ::inet_pton(AF_INET, source_.c_str(), &address.sin_addr);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind to " + source_ + ": " + std::strerror(errno));
    }
  }
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
}

bool HttpClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool HttpClient::fill() {
  std::array<char, 65536> chunk;
  const ssize_t n = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (n > 0) {
    buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    throw std::runtime_error("no answer from the server before the deadline");
  }
  return false;
}

bool HttpClient::read_until(std::size_t size) {
  while (buffer_.size() < size) {
    if (!fill()) return false;
  }
  return true;
}

std::string HttpClient::read_chunked() {
  std::string body;
  for (;;) {
    std::size_t eol = 0;
    while ((eol = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) throw std::runtime_error("reply cut short in a chunk header");
    }
    const std::size_t size = std::stoul(buffer_.substr(0, eol), nullptr, 16);
    if (!read_until(eol + 2 + size + 2)) throw std::runtime_error("reply cut short in a chunk");
    body += buffer_.substr(eol + 2, size);
    buffer_.erase(0, eol + 2 + size + 2);
    if (size == 0) return body;
  }
}

std::optional<HttpReply> HttpClient::try_read_reply(bool head_only) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  HttpReply reply = parse_head(std::string_view(buffer_).substr(0, end));
  buffer_.erase(0, end + 4);
  if (head_only || reply.status < 200 || reply.status == 204 || reply.status == 304) return reply;
  if (reply.header("transfer-encoding") == "chunked") {
    reply.body = read_chunked();
    return reply;
  }
  const std::string length = reply.header("content-length");
  if (length.empty()) {
    while (fill()) {
    }
    reply.body = std::exchange(buffer_, {});
    return reply;
  }
  const std::size_t size = std::stoul(length);
  if (!read_until(size)) return std::nullopt;
  reply.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return reply;
}

HttpReply HttpClient::read_reply(bool head_only) {
  std::optional<HttpReply> reply = try_read_reply(head_only);
  if (!reply) throw std::runtime_error("the server closed the connection before a whole reply");
  return *std::move(reply);
}

std::string HttpClient::read_to(std::string_view end) {
  std::size_t at = 0;
  while ((at = buffer_.find(end)) == std::string::npos) {
    if (!fill()) return std::exchange(buffer_, {});
  }
  return read_exactly(at + end.size());
}

std::string HttpClient::read_exactly(std::size_t bytes) {
  read_until(bytes);
  auto taken = buffer_.substr(0, bytes);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string HttpClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool HttpClient::closed() { return buffer_.empty() && !fill(); }

HttpReply HttpClient::request(const std::string& method, const std::string& target,
                              const Headers& headers, const std::string& body) {
  std::string bytes = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST" || method == "PUT") {
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  bytes += "\r\n" + body;
  const bool head_only = method == "HEAD";
  if (fd_ >= 0 && send_raw(bytes)) {
    std::optional<HttpReply> reply = try_read_reply(head_only);
    if (reply) {
      reused_ = true;
      return *std::move(reply);
    }
  }
  // Only an idle connection that the server closed is worth a second try.
  if (fd_ >= 0 && (!reused_ || !buffer_.empty())) {
    close();
    throw std::runtime_error("the server closed the connection before a whole reply");
  }
  connect();
  if (!send_raw(bytes)) throw std::runtime_error("the server closed while being sent to");
  return read_reply(head_only);
}

HttpReply HttpClient::get(const std::string& target, const Headers& headers) {
  return request("GET", target, headers, {});
}
HttpReply HttpClient::head(const std::string& target, const Headers& headers) {
  return request("HEAD", target, headers, {});
}
HttpReply HttpClient::post(const std::string& target, const std::string& body,
                           const Headers& headers) {
  return request("POST", target, headers, body);
}
HttpReply HttpClient::put(const std::string& target, const std::string& body,
                          const Headers& headers) {
  return request("PUT", target, headers, body);
}
HttpReply HttpClient::del(const std::string& target, const Headers& headers) {
  return request("DELETE", target, headers, {});
}

}  // namespace millrace
