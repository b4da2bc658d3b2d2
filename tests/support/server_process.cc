#include "tests/support/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/log_choice.h"

extern char** environ;

namespace millrace {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

ServerProcess::ServerProcess(Options options, bool allow_death) : options_(std::move(options)) {
  choose_log();
  spawn();
  if (wait_ready() || allow_death) return;
  const auto said = errors();
  kill_now();
  throw std::runtime_error("the server did not become ready:\n" + said);
}

ServerProcess::~ServerProcess() {
  kill_now();
  if (out_ >= 0) ::close(out_);
}

void ServerProcess::spawn() {
  stderr_path_ = options_.data + ".stderr";
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  out_ = pipe_ends[0];
  // A test's clients are all of one address: whoever tests limits says so in `args`, which count.
  std::vector<std::string> args = {options_.binary,
                                   "serve",
                                   "--data",
                                   options_.data,
                                   "--port",
                                   "0",
                                   "--access-per-address",
                                   "0",
                                   "--access-per-caller",
                                   "0"};
  args.insert(args.end(), options_.args.begin(), options_.args.end());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  for (const auto& [name, value] : options_.environment) environment.push_back(name + "=" + value);
  auto argv = pointers(args);
  auto envp = pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, stderr_path_.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int failed =
      ::posix_spawn(&pid_, options_.binary.c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (failed != 0) throw std::runtime_error("cannot start " + options_.binary);
}

bool ServerProcess::wait_ready() {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.ready_within_ms);
  for (;;) {
    const auto line_end = stdout_.find('\n');
    if (line_end != std::string::npos) {
      const auto colon = stdout_.rfind(':', line_end);
      port_ = static_cast<std::uint16_t>(std::stoi(stdout_.substr(colon + 1)));
      return true;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{out_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    char chunk[4096];
    const auto got = ::read(out_, chunk, sizeof chunk);
    if (got <= 0) return false;
    stdout_.append(chunk, static_cast<std::size_t>(got));
  }
}

void ServerProcess::reap(int options) {
  if (exit_ || pid_ < 0) return;
  int status = 0;
  if (::waitpid(pid_, &status, options) == pid_) {
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

bool ServerProcess::alive() {
  reap(WNOHANG);
  return !exit_;
}

void ServerProcess::kill_now() {
  if (!exit_ && pid_ > 0) ::kill(pid_, SIGKILL);
  reap(0);
}

int ServerProcess::terminate() {
  if (!exit_) ::kill(pid_, SIGTERM);
  reap(0);
  return exit_.value_or(-1);
}

std::string ServerProcess::errors() const { return read_file(stderr_path_); }

std::string ServerProcess::output() const {
  std::string all = stdout_;
  pollfd waiting{out_, POLLIN, 0};
  char chunk[4096];
  while (::poll(&waiting, 1, 0) > 0) {
    const auto got = ::read(out_, chunk, sizeof chunk);
    if (got <= 0) break;
    all.append(chunk, static_cast<std::size_t>(got));
  }
  return all;
}

std::uint64_t ServerProcess::resident_bytes() const {
  std::ifstream in("/proc/" + std::to_string(pid_) + "/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace millrace
