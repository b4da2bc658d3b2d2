#include "serving/media/poster.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/log.h"

namespace millrace::serving {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr std::chrono::milliseconds kLook{20};
constexpr rlim_t kMemory = rlim_t{1} << 30;

// Its pid; 0 when it cannot be started.
pid_t start(std::vector<std::string> args) {
  std::vector<char*> argv;
  argv.reserve(args.size() + 1);
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  }
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return error == 0 ? pid : 0;
}

// Whether it ended well, and in time.
bool wait_for(pid_t pid) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

bool make_poster(const std::string& ffmpeg, const std::string& video, const std::string& poster) {
  if (ffmpeg.empty()) return false;
  const auto part = poster + ".part";
  const auto pid =
      start({ffmpeg, "-nostdin", "-loglevel", "error", "-protocol_whitelist", "file", "-y", "-i",
             video, "-frames:v", "1", "-vf", "scale='min(640,iw)':-2", "-f", "mjpeg", part});
  if (pid == 0) return false;
  const rlimit memory{kMemory, kMemory};
  ::prlimit(pid, RLIMIT_AS, &memory, nullptr);
  std::error_code error;
  bool made = wait_for(pid) && std::filesystem::file_size(part, error) > 0 && !error;
  if (made) std::filesystem::rename(part, poster, error);
  made = made && !error;
  if (!made) {
    log_warn("no poster could be made of " + video);
    std::filesystem::remove(part, error);
  }
  return made;
}

}  // namespace millrace::serving
