#include "base/crash_point.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace millrace {
namespace {

struct Target {
  std::string name;
  std::atomic<long> passages_left{1};

  Target() {
    const char* text = std::getenv("MILLRACE_CRASH_AT");
    if (text == nullptr) return;
    name = text;
    const auto colon = name.find(':');
    if (colon == std::string::npos) return;
    passages_left = std::strtol(name.c_str() + colon + 1, nullptr, 10);
    name.resize(colon);
  }
};

Target& target() {
  static Target instance;
  return instance;
}

}  // namespace

void crash_point(std::string_view name) {
  if (!crash_point_armed(name)) return;
  if (--target().passages_left == 0) std::raise(SIGKILL);
}

bool crash_point_armed(std::string_view name) {
  const Target& chosen = target();
  return !chosen.name.empty() && chosen.name == name;
}

}  // namespace millrace
