#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace millrace::app {

// What a long verb shows of its way, on one line that is written over on a terminal, and as a plain
// line every few seconds elsewhere. One thread.
class ProgressLine {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;

  ProgressLine(std::ostream& out, bool terminal, Now now = std::chrono::steady_clock::now);

  // `share` of `part` (0 to 1) is done after `rows` rows of all parts. The time left is told from
  // the part's own pace.
  void update(const std::string& part, double share, std::uint64_t rows);
  // A line of its own between updates.
  void say(const std::string& line);
  void finish();

 private:
  std::string text(double share, std::uint64_t rows) const;
  void clear();

  std::ostream* out_;
  const bool terminal_;
  const Now now_;
  const std::chrono::steady_clock::time_point start_;
  std::string part_;
  std::chrono::steady_clock::time_point part_start_;
  double part_share_ = 0;  // at part_start_
  std::chrono::steady_clock::time_point shown_;
  bool showing_ = false;
};

// Whether stderr is a terminal.
bool stderr_is_terminal();

}  // namespace millrace::app
