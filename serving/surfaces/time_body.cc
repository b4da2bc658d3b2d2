#include "serving/surfaces/time_body.h"

#include "schemas/rfc3339.h"

namespace millrace::serving {

void append_time(JsonWriter& out, std::string_view name, UnixMillis time) {
  out.key(name);
  if (time == 0) {
    out.value(nullptr);
  } else {
    out.value(rfc3339(time));
  }
}

}  // namespace millrace::serving
