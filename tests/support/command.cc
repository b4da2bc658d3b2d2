#include "tests/support/command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/log_choice.h"

extern char** environ;

namespace millrace {
namespace {

// A file in memory.
class Scratch {
 public:
  explicit Scratch(const std::string& content = "") : fd_(::memfd_create("command", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("memfd_create");
    std::size_t written = 0;
    while (written < content.size()) {
      const auto n = ::write(fd_, content.data() + written, content.size() - written);
      if (n <= 0) throw std::runtime_error("cannot keep the input of a command");
      written += static_cast<std::size_t>(n);
    }
    ::lseek(fd_, 0, SEEK_SET);
  }
  ~Scratch() { ::close(fd_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  int fd() const { return fd_; }
  std::string content() const {
    std::string all;
    char chunk[4096];
    for (off_t at = 0;;) {
      const auto got = ::pread(fd_, chunk, sizeof chunk, at);
      if (got <= 0) return all;
      all.append(chunk, static_cast<std::size_t>(got));
      at += got;
    }
  }

 private:
  int fd_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

pid_t start(std::vector<std::string> args, const Environment& environment, int in, int out,
            int err) {
  std::vector<std::string> texts;
  for (char** entry = environ; *entry != nullptr; ++entry) texts.emplace_back(*entry);
  for (const auto& [name, value] : environment) texts.push_back(name + "=" + value);
  auto argv = pointers(args);
  auto envp = pointers(texts);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, args.front().c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + args.front());
  return pid;
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& args, const Environment& environment,
                          const std::string& input) {
  if (args.front().ends_with("/millrace")) choose_log();
  const Scratch in(input);
  const Scratch out;
  const Scratch err;
  const pid_t pid = start(args, environment, in.fd(), out.fd(), err.fd());
  int status = 0;
  ::waitpid(pid, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, out.content(), err.content()};
}

bool program_exists(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

BackgroundCommand::BackgroundCommand(const std::vector<std::string>& args,
                                     const std::string& output_file)
    : output_file_(output_file) {
  const Scratch in;
  const int out = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) throw std::runtime_error("cannot write " + output_file);
  pid_ = start(args, {}, in.fd(), out, out);
  ::close(out);
}

BackgroundCommand::~BackgroundCommand() { signal(SIGKILL); }

void BackgroundCommand::signal(int number) {
  if (!alive()) return;
  ::kill(pid_, number);
  if (number == SIGKILL) ended_ = ::waitpid(pid_, nullptr, 0) == pid_;
}

bool BackgroundCommand::alive() {
  if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !ended_;
}

std::string BackgroundCommand::output() const {
  std::ifstream in(output_file_, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace millrace
