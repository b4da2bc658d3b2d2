#include "app/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace millrace::app {
namespace {

constexpr auto kBetweenRedraws = std::chrono::milliseconds(100);
constexpr auto kBetweenLines = std::chrono::seconds(5);
constexpr int kBarWidth = 24;

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string clock_text(double left) {
  const auto whole = std::lround(left);
  const std::string tail = std::to_string(whole % 60);
  return std::to_string(whole / 60) + (tail.size() == 1 ? ":0" : ":") + tail;
}

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, bool terminal, Now now)
    : out_(&out), terminal_(terminal), now_(std::move(now)), start_(now_()) {
  part_start_ = start_;
  shown_ = start_;
}

void ProgressLine::update(const std::string& part, double share, std::uint64_t rows) {
  const auto now = now_();
  if (part != part_) {
    part_ = part;
    part_start_ = now;
    part_share_ = share;
  }
  if (now - shown_ < (terminal_ ? std::chrono::steady_clock::duration(kBetweenRedraws)
                                : std::chrono::steady_clock::duration(kBetweenLines))) {
    return;
  }
  shown_ = now;
  clear();
  *out_ << text(share, rows) << (terminal_ ? "" : "\n") << std::flush;
  showing_ = terminal_;
}

std::string ProgressLine::text(double share, std::uint64_t rows) const {
  const auto now = now_();
  const double rate = static_cast<double>(rows) / std::max(seconds(now - start_), 1e-3);
  std::string line = part_ + " ";
  if (terminal_) {
    const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
    line += "[" + std::string(static_cast<std::size_t>(full), '#') +
            std::string(static_cast<std::size_t>(kBarWidth - full), '.') + "] ";
  }
  line += std::to_string(static_cast<int>(share * 100)) + "%, " + std::to_string(rows) + " rows, " +
          std::to_string(static_cast<long>(rate)) + "/s";
  const double done = share - part_share_;
  if (done > 0.001) {
    line += ", ETA " + clock_text(seconds(now - part_start_) / done * (1 - share));
  }
  return line;
}

void ProgressLine::clear() {
  if (showing_) *out_ << "\r\033[K";
  showing_ = false;
}

void ProgressLine::say(const std::string& line) {
  clear();
  *out_ << line << "\n" << std::flush;
}

void ProgressLine::finish() {
  clear();
  *out_ << std::flush;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace millrace::app
