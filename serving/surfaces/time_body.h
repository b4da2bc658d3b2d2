#pragma once
#include <string_view>

#include "base/clock.h"
#include "schemas/json_writer.h"

namespace millrace::serving {

// A member that is a time as RFC 3339 writes it; null for 0, which says that there is none.
void append_time(JsonWriter& out, std::string_view name, UnixMillis time);

}  // namespace millrace::serving
