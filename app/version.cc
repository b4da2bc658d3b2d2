#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "app/build_info.h"
#include "app/verbs.h"

namespace millrace::app {
namespace {

std::string as_json() {
  const auto text = [](std::string_view t) { return "\"" + std::string(t) + "\""; };
  std::string out = "{\"version\": " + text(kVersion) + ", \"commit\": " + text(kCommit) +
                    ", \"compiler\": " + text(kCompiler) + ", \"libraries\": {";
  std::string_view separator;
  for (const auto& [name, version] : kLibraries) {
    out.append(separator).append(text(name)).append(": ").append(text(version));
    separator = ", ";
  }
  return out + "}}\n";
}

std::string as_text() {
  std::string out = "millrace " + std::string(kVersion) + " (" + std::string(kCommit) + ", " +
                    std::string(kCompiler) + ")\n";
  for (const auto& [name, version] : kLibraries) {
    out.append("  ").append(name).append(" ").append(version).append("\n");
  }
  return out;
}

}  // namespace

Action define_version(CLI::App& verb) {
  auto format = std::make_shared<std::string>("human");
  verb.add_option("--format", *format, "human or json")
      ->check(CLI::IsMember({"human", "json"}))
      ->capture_default_str();
  return [format] {
    std::cout << (*format == "json" ? as_json() : as_text()) << std::flush;
    return std::cout ? kOk : kFailed;
  };
}

}  // namespace millrace::app
