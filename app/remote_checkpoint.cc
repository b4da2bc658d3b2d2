#include "app/remote_checkpoint.h"

#include <chrono>

#include "app/target.h"
#include "schemas/json_value.h"

namespace millrace::app {

Result<std::string> remote_checkpoint(const ClientConfig& client) {
  MILLRACE_TRY(auto url, Url::parse(client.url));
  HttpTarget target(std::move(url), client.token, {}, {.exchange = std::chrono::minutes(30)});
  MILLRACE_TRY(const auto reply, target.post("/v1/admin/checkpoint", "application/json", "{}"));
  if (reply.status >= 400) return tl::unexpected<Error>(error_of(reply));
  MILLRACE_TRY(const auto answer, parse_json(reply.body));
  const auto* path = answer.find("path");
  if (path == nullptr) return fail(Code::kInternal, "the server's answer names no path");
  return path->text;
}

}  // namespace millrace::app
