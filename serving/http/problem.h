#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serving/http/message.h"

namespace millrace::serving {

// The one HTTP status of each kind of failure.
int http_status(Code code);

// "Not Found" for 404; "Unknown" for a status this server never sends.
std::string_view reason_phrase(int status);

inline constexpr std::string_view kProblemType = "application/problem+json";

// An answer of RFC 9457: application/problem+json with type (urn:millrace:problem:<code name>),
// title, status, detail and, where the error names one, field. 429 and 503 carry Retry-After: 1.
Reply problem(const Error& error);

// The same, to be tried again in so many milliseconds.
Reply problem(const Error& error, std::int64_t retry_after_ms);

// A problem that is the protocol's (type about:blank, title the status' phrase).
Reply problem(int status, std::string_view detail);

}  // namespace millrace::serving
