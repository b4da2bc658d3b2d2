#include "serving/surfaces/time_zone.h"

#include <cctz/time_zone.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace millrace::serving {
namespace {

constexpr const char* kZones = "/usr/share/zoneinfo";
constexpr std::size_t kMaxNameBytes = 64;

// The library keeps every name that it was asked for, and would read any file: only those of zones
// come to it.
bool names_file(std::string_view name) {
  constexpr std::string_view kNames =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
  const bool plain = !name.empty() && name.size() <= kMaxNameBytes && name.front() != '/' &&
                     name.find_first_not_of(kNames) == std::string_view::npos &&
                     name.find("//") == std::string_view::npos;
  std::error_code error;
  return plain && std::filesystem::is_regular_file(std::filesystem::path(kZones) / name, error);
}

}  // namespace

struct TimeZone::Zone {
  cctz::time_zone zone;
};

TimeZone::TimeZone() = default;

TimeZone TimeZone::ahead(std::int64_t ms) {
  TimeZone zone;
  zone.ahead_ms_ = ms;
  return zone;
}

std::optional<TimeZone> TimeZone::named(std::string_view name) {
  Zone loaded;
  if (!names_file(name) || !cctz::load_time_zone(std::string(name), &loaded.zone)) {
    return std::nullopt;
  }
  TimeZone zone;
  zone.zone_ = std::make_shared<const Zone>(std::move(loaded));
  return zone;
}

std::int64_t TimeZone::ahead_ms(UnixMillis time) const {
  if (!zone_) return ahead_ms_;
  const std::chrono::system_clock::time_point at{std::chrono::milliseconds(time)};
  return std::int64_t{zone_->zone.lookup(at).offset} * 1'000;
}

}  // namespace millrace::serving
