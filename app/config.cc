#include "app/config.h"

#include <algorithm>
#include <array>

#include "app/options.h"
#include "app/toml_text.h"

namespace millrace::app {
namespace {

// Variables that something other than the table of options reads: the client verbs, and tests.
constexpr std::array<std::string_view, 7> kOtherVariables{
    "MILLRACE_CONFIG", "MILLRACE_URL",   "MILLRACE_FORMAT", "MILLRACE_CRASH_AT",
    "MILLRACE_LONG",   "MILLRACE_KILLS", "MILLRACE_SEED"};

// What is being resolved.
struct Draft {
  ServeConfig config;
  bool main_address = false;  // host or port was named
};

Status set(const Option& option, Draft& draft, std::string_view value, const std::string& where) {
  auto& config = draft.config;
  if (option.key == "host" || option.key == "port") draft.main_address = true;
  auto status = option.set(config, value);
  if (status) return {};
  const std::string shown = option.secret ? "" : " (given: " + std::string(value) + ")";
  return fail(Code::kInvalid, where + " " + status.error().detail + shown, option.key);
}

const Option* find(const std::vector<Option>& options, std::string_view key) {
  const auto row =
      std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.key == key; });
  return row == options.end() ? nullptr : &*row;
}

Status apply_file(const std::vector<Option>& options, const Sources& sources, Draft& config) {
  if (sources.file.empty()) return {};
  MILLRACE_TRY(const auto settings, read_toml(sources.file, sources.file_name));
  std::string unknown;
  std::string first;
  for (const auto& [key, value] : settings) {
    const auto dot = key.find('.');
    const Option* table =
        dot == std::string::npos ? nullptr : find(options, std::string_view(key).substr(0, dot));
    const Option* option = find(options, key);
    const std::string where = sources.file_name + ": " + key;
    if (table != nullptr && table->table) {
      MILLRACE_CHECK(set(*table, config, key.substr(dot + 1) + "=" + value, where));
    } else if (option != nullptr && !option->table) {
      MILLRACE_CHECK(set(*option, config, value, where));
    } else {
      unknown += (unknown.empty() ? "" : ", ") + key;
      if (first.empty()) first = key;
    }
  }
  if (unknown.empty()) return {};
  return fail(Code::kInvalid, sources.file_name + ": unknown: " + unknown, first);
}

// "like=5,save=6" sets two rows of a table.
Status set_rows(const Option& option, Draft& config, std::string_view rows,
                const std::string& where) {
  while (!rows.empty()) {
    const auto comma = std::min(rows.find(','), rows.size());
    MILLRACE_CHECK(set(option, config, rows.substr(0, comma), where));
    rows.remove_prefix(std::min(comma + 1, rows.size()));
  }
  return {};
}

Result<std::vector<std::string>> apply_environment(const std::vector<Option>& options,
                                                   const Settings& environment, Draft& config) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : environment) {
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const auto& o) { return variable_of(o) == name; });
    if (option == options.end() && name.rfind("MILLRACE_", 0) != 0) continue;
    if (option != options.end()) {
      MILLRACE_CHECK(option->table ? set_rows(*option, config, value, name)
                                   : set(*option, config, value, name));
    } else if (std::find(kOtherVariables.begin(), kOtherVariables.end(), name) ==
               kOtherVariables.end()) {
      warnings.push_back("nothing reads the environment variable " + name);
    }
  }
  return warnings;
}

// --listen alone: the first of them is the one that --host and --port otherwise name.
void take_first_address(HttpConfig& http) {
  if (http.listen.empty()) return;
  auto& first = http.listen.front();
  http.host = first.host;
  http.port = first.port;
  if (http.surfaces.empty()) http.surfaces = first.surfaces;
  http.listen.erase(http.listen.begin());
}

Status check_kafka(const ServeConfig& config) {
  const bool kafka = config.log.kind == LogKind::kKafka;
  if (kafka && config.kafka.bootstrap.empty()) {
    return fail(Code::kInvalid, "--log kafka needs --kafka-bootstrap HOST:PORT", "kafka.bootstrap");
  }
  if (!kafka && !config.kafka.bootstrap.empty()) {
    return fail(Code::kInvalid, "--kafka-bootstrap is for --log kafka", "kafka.bootstrap");
  }
  if (kafka && (config.log.retention_ms != 0 || config.log.retention_bytes != 0)) {
    return fail(Code::kInvalid,
                "--log-retention is for the embedded log: with Kafka it is the topic's",
                "log.retention");
  }
  return {};
}

}  // namespace

std::string ListenAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Resolved> resolve(const Sources& sources) {
  const auto options = serve_options();
  Resolved out;
  Draft draft;
  draft.config.log.partitions = 0;
  MILLRACE_CHECK(apply_file(options, sources, draft));
  MILLRACE_TRY(out.warnings, apply_environment(options, sources.environment, draft));
  for (const auto& [key, value] : sources.flags) {
    const Option* option = find(options, key);
    if (option == nullptr) return fail(Code::kInvalid, "no such option", key);
    MILLRACE_CHECK(set(*option, draft, value, flag_of(*option)));
  }
  if (!draft.main_address) take_first_address(draft.config.http);
  out.config = std::move(draft.config);
  auto& log = out.config.log;
  if (log.partitions == 0) log.partitions = log.kind == LogKind::kKafka ? 16 : 4;
  MILLRACE_CHECK(check_kafka(out.config));
  if (out.config.http.tls_cert.empty() != out.config.http.tls_key.empty()) {
    return fail(Code::kInvalid, "--tls-cert and --tls-key go together", "http.tls_cert");
  }
  if (out.config.data.empty()) return fail(Code::kInvalid, "--data must not be empty", "data");
  if (out.config.rules.short_half_life_ms >= out.config.rules.long_half_life_ms) {
    return fail(Code::kInvalid, "--rules-short-half-life must be shorter than the long one",
                "rules.short_half_life");
  }
  return out;
}

std::string print_config(const ServeConfig& config) {
  std::string out;
  std::string table;
  for (const auto& option : serve_options()) {
    if (table_of(option) != table) {
      table = table_of(option);
      out += "\n[" + table + "]\n";
    }
    out += "# " + option.help + "\n";
    const auto value = option.print(config);
    const auto name =
        option.key.substr(table.empty() ? 0 : std::min(table.size() + 1, option.key.size()));
    if (option.table) {
      out += value;
    } else if (option.secret && value != "\"\"") {
      out += "# " + name + " = \"********\"\n";
    } else {
      out += name + " = " + value + "\n";
    }
  }
  return out;
}

}  // namespace millrace::app
