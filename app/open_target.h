#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "app/flags.h"
#include "app/node.h"
#include "app/target.h"
#include "base/result.h"

namespace millrace::app {

// Which target a verb's command line names.
struct TargetFlags {
  std::shared_ptr<ClientConfig> client;

  // With --data: the stopped server's data, opened once and shared by all targets.
  struct Local {
    std::string data;
    std::mutex mutex;
    std::shared_ptr<Node> node;
  };
  std::shared_ptr<Local> local;
};

// Adds --url, --token, --format and --data.
TargetFlags add_target_flags(CLI::App& verb);

// Thread-safe.
Result<std::unique_ptr<Target>> open_target(const TargetFlags& flags, const RetryPolicy& retry);

}  // namespace millrace::app
