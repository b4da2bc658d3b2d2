#include "serving/surfaces/meta.h"

#include <string>

#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

// A node that is further behind its log than this does not get requests.
constexpr Offset kReadyLag = 10'000;

Reply get_ready(const Deps& deps) {
  for (const auto& node : deps.nodes()) {
    if (node.self && node.record.state == NodeState::kLeaving) {
      return problem({Code::kUnavailable, "leaving", {}});
    }
  }
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
      {"GET", "/health/", Policy::kAlways,
       [](const Request&) { return json_reply(R"({"status":"ok"})"); }},
      {"GET", "/ready/", Policy::kAlways, [deps](const Request&) { return get_ready(deps); }},
      {"GET", "/metrics", Policy::kAlways,
       [deps](const Request&) {
         Reply reply;
         reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
         reply.body = deps.metrics->text();
         return reply;
       }},
  };
}

}  // namespace millrace::serving
