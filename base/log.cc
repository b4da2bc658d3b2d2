#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace millrace {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

Sink& sink() {
  static Sink instance{std::make_shared<spdlog::logger>(
                           "millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>()),
                       false};
  return instance;
}

}  // namespace

void set_log(LogLevel level, bool json) {
  sink().json = json;
  sink().logger->set_level(to_spdlog(level));
  sink().logger->set_pattern(json
                                 ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})"
                                 : "%Y-%m-%dT%H:%M:%S.%e %L %v",
                             spdlog::pattern_time_type::utc);
  sink().logger->flush_on(spdlog::level::debug);
}

void log(LogLevel level, std::string_view message) {
  sink().logger->log(to_spdlog(level), sink().json ? json_escaped(message) : std::string(message));
}

}  // namespace millrace
