#pragma once
#include <memory>
#include <string>

#include "app/flags.h"
#include "app/target.h"
#include "base/result.h"

namespace millrace::app {

// Which target a verb's command line names.
struct TargetFlags {
  std::shared_ptr<ClientConfig> client;
};

// Adds --url, --token and --format.
TargetFlags add_target_flags(CLI::App& verb);

Result<std::unique_ptr<Target>> open_target(const TargetFlags& flags, const RetryPolicy& retry);

}  // namespace millrace::app
