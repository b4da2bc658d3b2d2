// WebSocket listeners at /v1/live, as many as asked for, in one thread.
//
//   live_listeners PORT READERS SLOW
//
// Reader i listens to the user u<i> and reads at once; the slow ones listen to everything through
// a small window, and read a little five times a second. Prints a line when all have been greeted.
// When its input ends it goes on until two seconds bring nothing new, reading everything there is,
// and prints one JSON object: messages by reader, and of each slow one what it heard, and what it
// was told was dropped, or -1 where it was cut off.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kSmallWindow = 8 * 1024;
constexpr std::size_t kSip = 16 * 1024;  // what a slow one reads at a time
constexpr milliseconds kSipEvery{200};
constexpr milliseconds kQuiet{2'000};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "live_listeners: %s\n", why.c_str());
  std::exit(1);
}

struct Listener {
  int fd = -1;
  bool slow = false;
  bool greeted = false;
  bool ended = false;
  std::string received;
  long long heard = 0;
  long long dropped = 0;
};

int connect_to(int port, bool slow) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (slow) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSmallWindow, sizeof kSmallWindow);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) die("cannot connect");
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    die("cannot send");
  }
}

long long count_in(std::string_view text) {
  constexpr std::string_view kName = "\"count\":";
  return std::atoll(text.data() + text.find(kName) + kName.size());
}

void take_message(Listener& listener, int opcode, std::string_view payload) {
  if (opcode == 8 && !listener.greeted) die("closed before its greeting");
  if (opcode == 8) listener.ended = true;
  if (opcode == 9) {  // a pong, masked with zeros
    std::string pong = {'\x8a', static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
    send_all(listener.fd, pong.append(payload));
  }
  if (opcode != 1) return;
  if (payload.starts_with(R"({"event":"interaction")")) ++listener.heard;
  if (payload.starts_with(R"({"event":"listening")")) listener.greeted = true;
  if (payload.starts_with(R"({"event":"dropped")")) listener.dropped += count_in(payload);
}

// Takes whole frames off what was received.
void take_frames(Listener& listener) {
  std::string_view rest = listener.received;
  if (!listener.greeted && rest.starts_with("HTTP/")) {
    const auto end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return;
    if (!rest.starts_with("HTTP/1.1 101")) die(listener.received);
    rest.remove_prefix(end + 4);
  }
  while (rest.size() >= 2) {
    std::size_t size = static_cast<unsigned char>(rest[1]);
    std::size_t head = 2;
    if (size == 126) {
      if (rest.size() < 4) break;
      size = static_cast<unsigned char>(rest[2]) * 256U + static_cast<unsigned char>(rest[3]);
      head = 4;
    }
    if (size == 127) die("a message of more than 64 KiB");
    if (rest.size() < head + size) break;
    take_message(listener, rest[0] & 0x0f, rest.substr(head, size));
    rest.remove_prefix(head + size);
  }
  listener.received.erase(0, listener.received.size() - rest.size());
}

// False when there was nothing.
bool read_some(Listener& listener, std::size_t at_most) {
  if (listener.ended) return false;
  static char buffer[1 << 16];
  const auto got = ::recv(listener.fd, buffer, std::min(at_most, sizeof buffer), MSG_DONTWAIT);
  if (got < 0) return false;
  if (got == 0) {
    if (!listener.greeted) die("closed before its greeting");
    listener.ended = true;
    return false;
  }
  listener.received.append(buffer, static_cast<std::size_t>(got));
  take_frames(listener);
  return true;
}

class Client {
 public:
  Client(int port, int readers, int slow) {
    epoll_ = ::epoll_create1(0);
    for (int i = 0; i < readers + slow; ++i) {
      auto& listener = listeners_.emplace_back();
      listener.slow = i >= readers;
      listener.fd = connect_to(port, listener.slow);
      const auto query = listener.slow ? "" : "?user=u" + std::to_string(i);
      send_all(listener.fd,
               "GET /v1/live" + query +
                   " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
      if (listener.slow) continue;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = static_cast<std::uint64_t>(i);
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener.fd, &event);
    }
  }

  void run() {
    auto sip = SteadyClock::now();
    bool ready = false;
    while (!input_ended()) {
      read_ready(milliseconds(20));
      if (SteadyClock::now() < sip) continue;
      sip += kSipEvery;
      for (auto& listener : listeners_) {
        if (listener.slow) read_some(listener, listener.greeted ? kSip : 256);
      }
      const auto greeted = [](const Listener& listener) { return listener.greeted; };
      if (!ready && std::all_of(listeners_.begin(), listeners_.end(), greeted)) {
        ready = true;
        std::puts("ready");
        std::fflush(stdout);
      }
    }
    drain();
    print();
  }

 private:
  static bool input_ended() {
    pollfd input{0, POLLIN, 0};
    if (::poll(&input, 1, 0) == 0) return false;
    char byte = 0;
    return ::read(0, &byte, 1) <= 0;
  }

  bool read_ready(milliseconds wait) {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_, events, 256, static_cast<int>(wait.count()));
    bool any = false;
    for (int i = 0; i < count; ++i) any |= read_some(listeners_[events[i].data.u64], 1 << 16);
    return any;
  }

  void drain() {
    auto quiet_since = SteadyClock::now();
    while (SteadyClock::now() - quiet_since < kQuiet) {
      bool any = read_ready(milliseconds(20));
      for (auto& listener : listeners_) {
        if (listener.slow) any |= read_some(listener, 1 << 16);
      }
      if (any) quiet_since = SteadyClock::now();
    }
  }

  void print() const {
    std::printf("{\"readers\":[");
    const char* comma = "";
    for (const auto& listener : listeners_) {
      if (!listener.slow) std::printf("%s%lld", std::exchange(comma, ","), listener.heard);
    }
    std::printf("],\"slow\":[");
    comma = "";
    for (const auto& listener : listeners_) {
      if (!listener.slow) continue;
      std::printf("%s[%lld,%lld]", std::exchange(comma, ","), listener.heard,
                  listener.ended ? -1 : listener.dropped);
    }
    std::printf("]}\n");
  }

  int epoll_ = -1;
  std::vector<Listener> listeners_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) die("usage: live_listeners PORT READERS SLOW");
  Client client(std::atoi(arguments[1]), std::atoi(arguments[2]), std::atoi(arguments[3]));
  client.run();
}
