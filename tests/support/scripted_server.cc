#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>

namespace millrace {
namespace {

// Ready to read, or the end has come.
bool readable(int fd, int end) {
  std::array<pollfd, 2> waiting{pollfd{fd, POLLIN, 0}, pollfd{end, POLLIN, 0}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0) {
  }
  return waiting[1].revents == 0;
}

std::size_t whole_size(const std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == bytes.npos) return bytes.npos;
  const std::size_t length = bytes.find("Content-Length: ");
  const std::size_t body = length < head ? std::stoul(bytes.substr(length + 16)) : 0;
  return head + 4 + body;
}

}  // namespace

ScriptedServer::ScriptedServer()
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), end_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, raw, &size) != 0) {
    throw std::runtime_error("no port to listen on");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(end_, &one, sizeof one);
  thread_.join();
  ::close(listener_);
  ::close(end_);
}

void ScriptedServer::answer(Answer answer) {
  const std::scoped_lock lock(mutex_);
  script_.push_back(std::move(answer));
}

void ScriptedServer::answer(int status, const std::string& body, const std::string& headers) {
  answer({"HTTP/1.1 " + std::to_string(status) + " Said\r\n" + headers +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          false});
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

int ScriptedServer::connections() const {
  const std::scoped_lock lock(mutex_);
  return connections_;
}

void ScriptedServer::serve() {
  while (readable(listener_, end_)) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    {
      const std::scoped_lock lock(mutex_);
      ++connections_;
    }
    const bool more = serve_connection(fd);
    ::close(fd);
    if (!more) return;
  }
}

// False when the server is to end.
bool ScriptedServer::serve_connection(int fd) {
  std::string received;
  for (;;) {
    while (whole_size(received) > received.size()) {
      if (!readable(fd, end_)) return false;
      std::array<char, 65536> block;
      const ssize_t got = ::recv(fd, block.data(), block.size(), 0);
      if (got <= 0) return true;
      received.append(block.data(), static_cast<std::size_t>(got));
    }
    const std::size_t size = whole_size(received);
    std::optional<Answer> answer;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(received.substr(0, size));
      if (!script_.empty()) {
        answer = script_.front();
        script_.pop_front();
      }
    }
    received.erase(0, size);
    if (!answer) return readable(fd, end_);  // silent until the client goes or the test ends
    if (!answer->bytes.empty()) {
      ::send(fd, answer->bytes.data(), answer->bytes.size(), MSG_NOSIGNAL);
    }
    if (answer->close) return true;
  }
}

}  // namespace millrace
