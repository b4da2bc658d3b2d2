#pragma once
#include <string>

#include "app/flags.h"
#include "base/result.h"

namespace millrace::app {

// Asks a running server for a checkpoint and waits until it is sealed; answers its path, on the
// server's machine.
Result<std::string> remote_checkpoint(const ClientConfig& client);

}  // namespace millrace::app
