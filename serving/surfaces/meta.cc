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

struct Document {
  std::string_view name;
  std::string_view (*text)();
};
// A new document: a line here, one in meta.h, one in CMakeLists.txt.
constexpr Document kDocuments[] = {
    {"v1", openapi_v1}, {"accounts", openapi_accounts}, {"movies", openapi_movies}};

Reply get_document(const Request& request) {
  const auto name = request.params.find("document");
  for (const auto& document : kDocuments) {
    if (name != request.params.end() && name->second == document.name) {
      return text_reply("application/yaml", std::string(document.text()));
    }
  }
  return problem({Code::kNotFound, "there is no document of this name", {}});
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
      {"GET", "/health/", Policy::kAlways,
       [](const Request&) { return json_reply(R"({"status":"ok"})"); }},
      {"GET", "/ready/", Policy::kAlways, [deps](const Request&) { return get_ready(deps); }},
      {"GET", "/metrics", Policy::kAlways,
       [deps](const Request&) {
         return text_reply("text/plain; version=0.0.4; charset=utf-8", deps.metrics->text());
       }},
      {"GET", "/openapi.yaml", Policy::kAlways,
       [](const Request&) { return text_reply("application/yaml", std::string(openapi_v1())); }},
      {"GET", "/openapi/{document}.yaml", Policy::kAlways, get_document},
  };
}

}  // namespace millrace::serving
