#pragma once
#include <string_view>

namespace millrace {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Lines go to stderr (stdout belongs to answers). `json`: one JSON object a line. Thread-safe.
void set_log(LogLevel level, bool json);
void log(LogLevel level, std::string_view message);

inline void log_debug(std::string_view message) { log(LogLevel::kDebug, message); }
inline void log_info(std::string_view message) { log(LogLevel::kInfo, message); }
inline void log_warn(std::string_view message) { log(LogLevel::kWarn, message); }
inline void log_error(std::string_view message) { log(LogLevel::kError, message); }

}  // namespace millrace
