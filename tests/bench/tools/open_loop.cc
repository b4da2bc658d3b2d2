// An open-loop HTTP client: operations start by a fixed schedule, whatever the server does, and
// every latency counts from the scheduled time, so that a stall is charged to each operation that
// it held up (no coordinated omission).
//
//   open_loop get   PORT RATE SECONDS CONNECTIONS USERS PATH
//   open_loop fresh PORT RATE SECONDS CONNECTIONS USERS ITEMS [READ_PORT]
//
// get: GET PATH, its {} replaced by a random user number. fresh: POST one view, then read with the
// position of the answer, by turns the popular list, the person's feed and the item, whose views
// must hold this one and all that were read back before; the latency ends with the read, which goes
// to READ_PORT, another node's, where one is given. Prints one JSON object.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

struct Plan {
  bool fresh = false;
  std::uint16_t port = 0;
  std::uint16_t read_port = 0;  // 0: the same
  double rate = 0;
  double seconds = 0;
  std::size_t connections = 0;
  std::size_t users = 0;
  std::size_t items = 0;
  std::string path;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "open_loop: %s\n", why.c_str());
  std::exit(1);
}

struct Answer {
  int status = 0;
  std::string_view head;
  std::string_view body;
  std::size_t bytes = 0;  // of all of it
};

// The value of `name` (as the server writes it) in a head; empty when there is none.
std::string_view header(std::string_view head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string_view::npos) return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

// The first answer in `bytes`; its `bytes` are 0 while it is not whole.
Answer answer_in(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  Answer answer;
  answer.head = bytes.substr(0, end + 2);
  std::size_t length = 0;
  const auto text = header(answer.head, "Content-Length");
  if (text.empty()) die("an answer without a length");
  std::from_chars(text.data(), text.data() + text.size(), length);
  if (bytes.size() < end + 4 + length) return {};
  std::from_chars(bytes.data() + 9, bytes.data() + 12, answer.status);
  answer.body = bytes.substr(end + 4, length);
  answer.bytes = end + 4 + length;
  return answer;
}

struct Operation {
  TimePoint due;
  std::size_t number = 0;
};

struct Connection {
  int fd = -1;
  int read_fd = -1;  // the same where there is no port of its own
  bool busy = false;
  bool reading = false;  // fresh: the POST was answered, the read is under way
  Operation operation;
  std::string user;
  std::size_t item = 0;
  std::uint64_t expected_views = 0;
  std::string received;
};

class Client {
 public:
  explicit Client(Plan plan) : plan_(std::move(plan)), views_(plan_.items) {
    epoll_ = ::epoll_create1(0);
    connections_.resize(plan_.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      auto& on = connections_[i];
      on.fd = connect(plan_.port);
      on.read_fd = plan_.read_port == 0 ? on.fd : connect(plan_.read_port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, on.fd, &event);
      if (on.read_fd != on.fd) ::epoll_ctl(epoll_, EPOLL_CTL_ADD, on.read_fd, &event);
      idle_.push_back(i);
    }
  }

  void run() {
    const auto begin = SteadyClock::now();
    const auto total = static_cast<std::size_t>(plan_.rate * plan_.seconds);
    const auto due = [&](std::size_t n) {
      return begin + std::chrono::nanoseconds(
                         static_cast<std::int64_t>(static_cast<double>(n) * 1e9 / plan_.rate));
    };
    const auto give_up = due(total) + std::chrono::seconds(10);
    for (std::size_t next = 0; latencies_.size() + failed_ < total;) {
      auto now = SteadyClock::now();
      if (now > give_up) break;
      for (; next < total && due(next) <= now; ++next) waiting_.push_back({due(next), next});
      for (; !waiting_.empty() && !idle_.empty(); waiting_.pop_front()) start(waiting_.front());
      wait(next < total ? due(next) : give_up);
    }
    print(total, std::chrono::duration<double>(SteadyClock::now() - begin).count());
  }

 private:
  static int connect(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      die("cannot connect to port " + std::to_string(port));
    }
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
  }

  void wait(TimePoint until) {
    const auto left = std::max(std::chrono::nanoseconds(0), until - SteadyClock::now()).count();
    timespec timeout{};
    timeout.tv_sec = left / 1'000'000'000;
    timeout.tv_nsec = left % 1'000'000'000;
    epoll_event events[64];
    const int count = ::epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    for (int i = 0; i < count; ++i) receive(connections_[events[i].data.u64], events[i].data.u64);
  }

  void start(const Operation& operation) {
    const auto index = idle_.back();
    idle_.pop_back();
    Connection& on = connections_[index];
    on.busy = true;
    on.reading = false;
    on.operation = operation;
    on.user = std::to_string(random_() % plan_.users);
    if (!plan_.fresh) {
      std::string path = plan_.path;
      const auto at = path.find("{}");
      if (at != std::string::npos) path.replace(at, 2, on.user);
      return send(on, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    on.item = random_() % plan_.items;
    const std::string body = R"({"specversion":"1.0","id":"f)" + std::to_string(::getpid()) + "-" +
                             std::to_string(operation.number) +
                             R"(","source":"fresh","type":"view","data":{"user":"u)" + on.user +
                             R"(","item":"video:)" + std::to_string(on.item) + R"("}})";
    send(on,
         "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  void read_back(Connection& on, std::string_view position) {
    on.reading = true;
    on.expected_views = views_[on.item] + 1;
    const std::string paths[] = {"/v1/lists/popular", "/v1/feed/u" + on.user,
                                 "/v1/items/video:" + std::to_string(on.item)};
    send(on, "GET " + paths[on.operation.number % 3] +
                 " HTTP/1.1\r\nHost: localhost\r\nX-Millrace-Position: " + std::string(position) +
                 "\r\n\r\n");
  }

  static void send(const Connection& on, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent =
          ::send(on.reading ? on.read_fd : on.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) die("the connection broke on sending");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void receive(Connection& on, std::size_t index) {
    char buffer[65536];
    const auto got = ::recv(on.reading ? on.read_fd : on.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) die("the server closed a connection");
    on.received.append(buffer, static_cast<std::size_t>(got));
    const auto answer = answer_in(on.received);
    if (answer.bytes == 0) return;
    const bool good = answer.status == 200;
    if (good && plan_.fresh && !on.reading) {
      const std::string position(header(answer.head, "X-Millrace-Position"));
      on.received.clear();
      return read_back(on, position);
    }
    if (!good || !shows(on, answer.body)) {
      ++failed_;
    } else {
      latencies_.push_back(SteadyClock::now() - on.operation.due);
      if (plan_.fresh) ++views_[on.item];
    }
    on.received.clear();
    on.busy = false;
    idle_.push_back(index);
  }

  // An item that was read back counts its view and those that any reader had seen before. A view
  // that was merely answered may lie in a partition that the position says nothing about.
  bool shows(const Connection& on, std::string_view body) const {
    if (!plan_.fresh || on.operation.number % 3 != 2) return true;
    constexpr std::string_view kMember = "\"views\":";
    const auto at = body.find(kMember);
    if (at == std::string_view::npos) return false;
    std::uint64_t views = 0;
    std::from_chars(body.data() + at + kMember.size(), body.data() + body.size(), views);
    return views >= on.expected_views;
  }

  void print(std::size_t total, double seconds) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [this](double part) {
      if (latencies_.empty()) return 0.0;
      const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies_.size()));
      const auto latency = latencies_[std::min(index, latencies_.size() - 1)];
      return std::chrono::duration<double, std::milli>(latency).count();
    };
    std::printf(
        "{\"scheduled\":%zu,\"answered\":%zu,\"failed\":%zu,\"rate\":%.0f,\"p50_ms\":%.3f,"
        "\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f}\n",
        total, latencies_.size(), failed_, static_cast<double>(latencies_.size()) / seconds,
        at(0.5), at(0.9), at(0.99), at(0.999), at(1));
  }

  const Plan plan_;
  std::mt19937_64 random_{1};
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<std::size_t> idle_;
  std::deque<Operation> waiting_;
  std::vector<std::uint64_t> views_;  // seen to be applied, by item
  std::vector<std::chrono::nanoseconds> latencies_;
  std::size_t failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const bool another = argc == 9 && mode == "fresh";
  if ((argc != 8 && !another) || (mode != "get" && mode != "fresh")) {
    die("get PORT RATE SECONDS CONNECTIONS USERS PATH | fresh PORT RATE SECONDS CONNECTIONS USERS "
        "ITEMS [READ_PORT]");
  }
  Plan plan;
  plan.fresh = mode == "fresh";
  plan.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  plan.rate = std::atof(argv[3]);
  plan.seconds = std::atof(argv[4]);
  plan.connections = std::strtoull(argv[5], nullptr, 10);
  plan.users = std::strtoull(argv[6], nullptr, 10);
  if (plan.fresh) {
    plan.items = std::strtoull(argv[7], nullptr, 10);
    if (another) plan.read_port = static_cast<std::uint16_t>(std::atoi(argv[8]));
  } else {
    plan.path = argv[7];
  }
  if (plan.rate <= 0 || plan.connections == 0 || plan.users == 0 ||
      (plan.fresh && plan.items == 0)) {
    die("rate, connections, users and items must be above 0");
  }
  Client(std::move(plan)).run();
}
