#include "serving/surfaces/meta.h"

#include <string>
#include <utility>

#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

// A node that is further behind its log than this does not get requests.
constexpr Offset kReadyLag = 10'000;

Reply text_reply(std::string type, std::string body) {
  Reply reply;
  reply.content_type = std::move(type);
  reply.body = std::move(body);
  return reply;
}

Reply get_ready(const Deps& deps) {
  const auto failure = deps.engine->failure();
  if (!failure.empty()) return problem({Code::kUnavailable, failure, {}});
  Offset lag = 0;
  for (const auto& status : deps.engine->status()) {
    lag = std::max(lag, status.log_end - status.visible);
  }
  if (lag > kReadyLag) {
    return problem({Code::kUnavailable,
                    "catching up with the log: " + std::to_string(lag) + " records behind",
                    {}});
  }
  return json_reply(R"({"status":"ready"})");
}

}  // namespace

std::vector<Route> meta_routes(const Deps& deps) {
  return {
      {"GET", "/health/", Policy::kPublic,
       [](const Request&) { return json_reply(R"({"status":"ok"})"); }},
      {"GET", "/ready/", Policy::kPublic, [deps](const Request&) { return get_ready(deps); }},
      {"GET", "/metrics", Policy::kPublic,
       [deps](const Request&) {
         return text_reply("text/plain; version=0.0.4; charset=utf-8", deps.metrics->text());
       }},
      {"GET", "/openapi.yaml", Policy::kPublic,
       [](const Request&) { return text_reply("application/yaml", std::string(openapi_v1())); }},
  };
}

}  // namespace millrace::serving
