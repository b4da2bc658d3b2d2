#include "serving/surfaces/engine_error.h"

#include <string>
#include <string_view>
#include <utility>

#include "schemas/json_value.h"
#include "schemas/json_writer.h"
#include "serving/http/problem.h"

namespace millrace::serving {
namespace {

std::string_view error_of(int status) {
  switch (status) {
    case 400: return "Invalid parameter";
    case 429: return "Rate limit exceeded";
    default: return reason_phrase(status);
  }
}

}  // namespace

Reply error_and_details(Reply problem) {
  const auto json = parse_json(problem.body);
  std::string details;
  for (const char* name : {"field", "detail"}) {
    const Json* part = json ? json->find(name) : nullptr;
    if (part == nullptr || part->text.empty()) continue;
    details += (details.empty() ? "" : " ") + part->text;
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("error", error_of(problem.status));
  out.member("details", details.empty() ? reason_phrase(problem.status) : details);
  out.end_object();
  problem.content_type = "application/json";
  problem.body = std::move(body);
  return problem;
}

}  // namespace millrace::serving
