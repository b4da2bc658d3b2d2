#include "serving/http/cors.h"

namespace millrace::serving {
namespace {

// Answers differ by origin: no cache may give one page another's.
constexpr const char* kVary = "Vary: Origin\r\n";
constexpr const char* kExposed =
    "Access-Control-Expose-Headers: ETag, Link, Location, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, X-Millrace-Position, X-Millrace-Recommendation, "
    "X-Millrace-Seed, X-Request-Id\r\n";
constexpr const char* kAllowed =
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-API-Key, X-Millrace-Position, "
    "X-Millrace-Recommendation, X-Request-Id";
constexpr const char* kMaxAgeSeconds = "600";

}  // namespace

Cors::Cors(const std::vector<std::string>& origins) {
  if (!origins.empty()) others_ = kVary;
  for (const auto& origin : origins) {
    lines_[origin] = "Access-Control-Allow-Origin: " + origin + "\r\n" + kExposed + kVary;
  }
}

const std::string* Cors::lines(const Request& request) const {
  if (lines_.empty()) return nullptr;
  const auto origin = request.header("origin");
  const auto found = origin ? lines_.find(*origin) : lines_.end();
  return found == lines_.end() ? &others_ : &found->second;
}

void Cors::answer_preflight(const Request& request, const std::string& methods,
                            Reply& reply) const {
  const auto origin = request.header("origin");
  if (!origin || !lines_.contains(*origin) || !request.header("access-control-request-method")) {
    return;
  }
  reply.headers.emplace_back("Access-Control-Allow-Methods", methods);
  reply.headers.emplace_back("Access-Control-Allow-Headers", kAllowed);
  reply.headers.emplace_back("Access-Control-Max-Age", kMaxAgeSeconds);
}

}  // namespace millrace::serving
