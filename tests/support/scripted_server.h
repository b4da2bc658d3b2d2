#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace {

// A server that says what it is told to: each request gets the next answer as raw bytes, over
// whatever connection it comes. Thread-safe.
class ScriptedServer {
 public:
  struct Answer {
    std::string bytes;   // empty: none
    bool close = false;  // and the connection with it
  };

  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  void answer(Answer answer);
  // An answer with status, content length and more header lines ("Retry-After: 1\r\n").
  void answer(int status, const std::string& body, const std::string& headers = {});

  std::vector<std::string> requests() const;  // whole ones, as received
  int connections() const;

 private:
  void serve();
  bool serve_connection(int fd);

  int listener_ = -1;
  int end_ = -1;  // eventfd
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::deque<Answer> script_;
  std::vector<std::string> requests_;
  int connections_ = 0;
  std::jthread thread_;
};

}  // namespace millrace
