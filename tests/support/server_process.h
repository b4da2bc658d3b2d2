#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace {

// The built server as a process of its own, for tests of the whole. One thread.
class ServerProcess {
 public:
  struct Options {
    std::string binary;
    std::string data;
    std::vector<std::string> args;  // behind `serve --data … --port 0`, without limits of requests
    std::vector<std::pair<std::string, std::string>> environment;  // added to ours
    int ready_within_ms = 60'000;
  };

  // Starts it and waits for its line on stdout. Throws std::runtime_error, with its stderr, when it
  // ends first or takes too long, unless allow_death is set: then alive() is false.
  explicit ServerProcess(Options options, bool allow_death = false);
  ~ServerProcess();  // SIGKILL if it still runs
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  bool alive();
  void kill_now();             // SIGKILL, reaped
  int terminate();             // SIGTERM; answers the exit code once it has ended
  std::string errors() const;  // what it has written to stderr
  std::string output() const;  // what it has written to stdout so far
  std::uint64_t resident_bytes() const;

 private:
  void spawn();
  bool wait_ready();
  void reap(int options);

  Options options_;
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
  std::optional<int> exit_;
  std::string stdout_;
  std::string stderr_path_;
};

}  // namespace millrace
