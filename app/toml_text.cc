#include "app/toml_text.h"

#include <toml++/toml.h>

#include <array>
#include <charconv>

namespace millrace::app {
namespace {

std::string real_text(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

Status flatten(const toml::table& table, const std::string& prefix, const std::string& name,
               Settings& out) {
  for (const auto& [key, node] : table) {
    const std::string path = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      MILLRACE_CHECK(flatten(*inner, path + ".", name, out));
    } else if (const auto* text = node.as_string()) {
      out.emplace_back(path, text->get());
    } else if (const auto* integer = node.as_integer()) {
      out.emplace_back(path, std::to_string(integer->get()));
    } else if (const auto* real = node.as_floating_point()) {
      out.emplace_back(path, real_text(real->get()));
    } else if (const auto* truth = node.as_boolean()) {
      out.emplace_back(path, truth->get() ? "true" : "false");
    } else {
      return fail(Code::kInvalid,
                  name + ":" + std::to_string(node.source().begin.line) + ": " + path +
                      " must be text or a number",
                  path);
    }
  }
  return {};
}

}  // namespace

Result<Settings> read_toml(std::string_view text, const std::string& name) {
  try {
    Settings out;
    MILLRACE_CHECK(flatten(toml::parse(text, name), "", name, out));
    return out;
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalid, name + ":" + std::to_string(error.source().begin.line) + ": " +
                                    std::string(error.description()));
  }
}

}  // namespace millrace::app
