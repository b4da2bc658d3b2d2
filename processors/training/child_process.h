#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millrace::processors {

// A program that runs beside this one and says what it has to say by lines on its standard output;
// its errors go where ours go. It inherits no other file, so that it holds no port of ours. One
// thread. When its reader is gone, writing a line ends it.
class ChildProcess {
 public:
  // kNotFound: there is no such program, or it may not be run.
  static Result<ChildProcess> start(const std::vector<std::string>& words);
  ~ChildProcess();  // kills it if it still runs
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  // The next line; nothing after `timeout_ms` without one, or when there are no more: over().
  std::optional<std::string> line(int timeout_ms);
  bool over() const { return output_ < 0; }  // has closed its output
  void terminate();                          // asks it to end
  // Waits for its end, and kills it after `timeout_ms`; its exit code, -1 when a signal ended it.
  int wait(int timeout_ms);

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  pid_t pid_ = -1;  // -1: waited for
  int output_ = -1;
  std::string read_;  // what is not yet a line
};

}  // namespace millrace::processors
