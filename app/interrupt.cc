#include "app/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace millrace::app {

Interrupt::Interrupt() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  end_ = ::eventfd(0, EFD_CLOEXEC);
  watcher_ = std::jthread([this] { watch(signals_, end_); });
}

Interrupt::~Interrupt() {
  const std::uint64_t one = 1;
  // An eventfd takes a first write whatever happens.
  [[maybe_unused]] const auto written = ::write(end_, &one, sizeof one);
  watcher_.join();
  ::close(signals_);
  ::close(end_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::watch(int signals, int end) {
  std::array<pollfd, 2> waiting{pollfd{signals, POLLIN, 0}, pollfd{end, POLLIN, 0}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) continue;
    if (waiting[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (::read(signals, &signal, sizeof signal) != sizeof signal) return;
    if (requested_.exchange(true)) ::_exit(128 + static_cast<int>(signal.ssi_signo));
  }
}

}  // namespace millrace::app
