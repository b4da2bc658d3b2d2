#pragma once
#include <string_view>

namespace millrace {

// Named places where tests let the process die as by a power cut: with MILLRACE_CRASH_AT=NAME the
// first passage through crash_point(NAME) ends the process by SIGKILL, with NAME:N the N-th. The
// environment is read once. Unset, a passage costs one branch. Thread-safe.
void crash_point(std::string_view name);

// Whether `name` is the place chosen, for code that must go another way to have a middle to die in.
bool crash_point_armed(std::string_view name);

}  // namespace millrace
