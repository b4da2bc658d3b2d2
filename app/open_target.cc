#include "app/open_target.h"

#include <CLI/CLI.hpp>

namespace millrace::app {

TargetFlags add_target_flags(CLI::App& verb) { return {add_client_flags(verb)}; }

Result<std::unique_ptr<Target>> open_target(const TargetFlags& flags, const RetryPolicy& retry) {
  MILLRACE_TRY(Url url, Url::parse(flags.client->url));
  return std::make_unique<HttpTarget>(std::move(url), flags.client->token, retry);
}

}  // namespace millrace::app
