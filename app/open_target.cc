#include "app/open_target.h"

#include <CLI/CLI.hpp>

#include "app/local_target.h"

namespace millrace::app {
namespace {

Result<std::shared_ptr<Node>> local_node(TargetFlags::Local& local) {
  const std::lock_guard lock(local.mutex);
  if (local.node) return local.node;
  MILLRACE_TRY(const auto config, stored_config(local.data));
  MILLRACE_TRY(local.node, Node::start(config, Node::Http::kNone));
  return local.node;
}

}  // namespace

TargetFlags add_target_flags(CLI::App& verb) {
  TargetFlags flags{add_client_flags(verb), std::make_shared<TargetFlags::Local>()};
  verb.add_option("--data", flags.local->data, "data folder of a stopped server, instead of --url");
  return flags;
}

Result<std::unique_ptr<Target>> open_target(const TargetFlags& flags, const RetryPolicy& retry) {
  if (!flags.local->data.empty()) {
    MILLRACE_TRY(auto node, local_node(*flags.local));
    return std::make_unique<LocalTarget>(std::move(node), flags.local->data);
  }
  MILLRACE_TRY(Url url, Url::parse(flags.client->url));
  return std::make_unique<HttpTarget>(std::move(url), flags.client->token, retry);
}

}  // namespace millrace::app
