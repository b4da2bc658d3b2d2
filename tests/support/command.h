#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct CommandResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// Runs a program to its end; args[0] is looked up in PATH, `environment` is added to ours. Throws
// std::runtime_error when it cannot be started.
CommandResult run_command(const std::vector<std::string>& args, const Environment& environment = {},
                          const std::string& input = "");

// True when PATH has such a program.
bool program_exists(const std::string& name);

// A program that runs beside the test, its output in a file; SIGKILL when it goes out of scope.
class BackgroundCommand {
 public:
  BackgroundCommand(const std::vector<std::string>& args, const std::string& output_file);
  ~BackgroundCommand();
  BackgroundCommand(const BackgroundCommand&) = delete;
  BackgroundCommand& operator=(const BackgroundCommand&) = delete;

  bool alive();
  void signal(int number);  // SIGKILL waits for its end
  std::string output() const;

 private:
  std::string output_file_;
  pid_t pid_ = -1;
  bool ended_ = false;
};

}  // namespace millrace
