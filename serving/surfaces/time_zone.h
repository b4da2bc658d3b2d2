#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace millrace::serving {

// How far a place's clocks are ahead of UTC, and when. A value.
class TimeZone {
 public:
  TimeZone();  // UTC
  static TimeZone ahead(std::int64_t ms);
  // By its IANA name ("Europe/Berlin"), from the machine's tzdata; nothing for an unknown one.
  static std::optional<TimeZone> named(std::string_view name);

  std::int64_t ahead_ms(UnixMillis time) const;

 private:
  struct Zone;
  std::shared_ptr<const Zone> zone_;  // null: always `ahead_ms_`
  std::int64_t ahead_ms_ = 0;
};

}  // namespace millrace::serving
