#pragma once
#include <memory>
#include <string>

#include "app/config.h"
#include "base/result.h"

namespace CLI {
class App;
}  // namespace CLI

namespace millrace::app {

// What the command line said, filled while CLI11 parses; outlived by nothing but its verb.
struct ServeFlags {
  Settings settings;
  std::string config_file;  // --config or MILLRACE_CONFIG
  bool print_config = false;
};

// Adds every option of the table, --config and --print-config to a verb.
std::shared_ptr<ServeFlags> add_serve_flags(CLI::App& verb);

// Adds only the options that say where the log is: --log and --kafka-….
std::shared_ptr<ServeFlags> add_log_flags(CLI::App& verb);

// Flags, this process's environment, and the file: the one named, else DATA/millrace.toml if there
// is one. kIo when a named file cannot be read.
Result<Resolved> load_config(const ServeFlags& flags);

// What verbs that talk to a running server share.
struct ClientConfig {
  std::string url = "http://127.0.0.1:8080";
  std::string token;
  bool json = false;
};

// Adds --url (MILLRACE_URL), --token (MILLRACE_ADMIN_TOKEN) and --format human|json
// (MILLRACE_FORMAT).
std::shared_ptr<ClientConfig> add_client_flags(CLI::App& verb);

}  // namespace millrace::app
