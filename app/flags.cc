#include "app/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/options.h"

namespace millrace::app {
namespace {

Settings environment() {
  Settings out;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text(*variable);
    const auto equals = text.find('=');
    if (equals != text.npos) {
      out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) {
    return fail(Code::kIo, "cannot read the configuration file " + path, "config");
  }
  return text;
}

void add_option(CLI::App& verb, const Option& option, const std::shared_ptr<ServeFlags>& flags) {
  const std::string key = option.key;
  const auto keep = [flags, key](const std::vector<std::string>& values) {
    for (const auto& value : values) flags->settings.emplace_back(key, value);
  };
  auto* added =
      verb.add_option_function<std::vector<std::string>>(flag_of(option), keep, option.help);
  added->expected(1)->multi_option_policy(option.table ? CLI::MultiOptionPolicy::TakeAll
                                                       : CLI::MultiOptionPolicy::TakeLast);
  added->type_name(option.table ? "NAME=VALUE" : variable_of(option))->group(table_of(option));
  if (table_of(option).empty() || option.table) added->group("Options");
  if (!option.table && !option.secret) added->default_str(option.print(ServeConfig{}));
}

}  // namespace

std::shared_ptr<ServeFlags> add_serve_flags(CLI::App& verb) {
  auto flags = std::make_shared<ServeFlags>();
  for (const auto& option : serve_options()) add_option(verb, option, flags);
  verb.add_option("--config", flags->config_file,
                  "TOML file; without it DATA/millrace.toml, if there is one")
      ->envname("MILLRACE_CONFIG")
      ->type_name("FILE");
  verb.add_flag("--print-config", flags->print_config,
                "print the configuration that holds as TOML, and end");
  return flags;
}

std::shared_ptr<ServeFlags> add_log_flags(CLI::App& verb) {
  auto flags = std::make_shared<ServeFlags>();
  for (const auto& option : serve_options()) {
    if (option.key == "log.kind" || option.key.starts_with("kafka"))
      add_option(verb, option, flags);
  }
  return flags;
}

Result<Resolved> load_config(const ServeFlags& flags) {
  Sources sources{flags.settings, environment(), {}, {}};
  // Where the data lies decides which file is read, so that is looked up without any file.
  MILLRACE_TRY(const auto bare, resolve(sources));
  const auto beside = std::filesystem::path(bare.config.data) / "millrace.toml";
  std::error_code error;
  if (!flags.config_file.empty()) {
    sources.file_name = flags.config_file;
  } else if (std::filesystem::exists(beside, error)) {
    sources.file_name = beside.string();
  } else {
    return bare;
  }
  MILLRACE_TRY(sources.file, read_file(sources.file_name));
  return resolve(sources);
}

std::shared_ptr<ClientConfig> add_client_flags(CLI::App& verb) {
  auto client = std::make_shared<ClientConfig>();
  verb.add_option("--url", client->url, "the running server")
      ->envname("MILLRACE_URL")
      ->capture_default_str();
  verb.add_option("--token", client->token, "the administrator's token")
      ->envname("MILLRACE_ADMIN_TOKEN");
  verb.add_option_function<std::string>(
          "--format", [client](const std::string& format) { client->json = format == "json"; },
          "human or json")
      ->envname("MILLRACE_FORMAT")
      ->check(CLI::IsMember({"human", "json"}))
      ->default_str("human");
  return client;
}

}  // namespace millrace::app
