#pragma once
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/options.h"
#include "app/units.h"
#include "base/json_text.h"
#include "base/schedule.h"

namespace millrace::app {

// What kinds of rows the table of options has: each makes an Option of a key, its help and the
// field that it is about.

// An accessor `at` takes a ServeConfig, const or not, and gives the field.
template <class At>
using Field = std::remove_cvref_t<std::invoke_result_t<At, ServeConfig&>>;

inline std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <class At>
Option text(std::string key, std::string help, At at) {
  return {std::move(key), std::move(help),
          [at](ServeConfig& config, std::string_view value) -> Status {
            at(config) = std::string(value);
            return {};
          },
          [at](const ServeConfig& config) { return quoted(at(config)); }};
}

template <class At>
Option integer(std::string key, std::string help, At at, std::int64_t min,
               std::int64_t max = std::numeric_limits<std::uint32_t>::max()) {
  const auto set = [=](ServeConfig& config, std::string_view value) -> Status {
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc() || rest != end || number < min || number > max) {
      return fail(Code::kInvalid, "must be a whole number from " + std::to_string(min) + " to " +
                                      std::to_string(max));
    }
    at(config) = static_cast<Field<At>>(number);
    return {};
  };
  return {std::move(key), std::move(help), set,
          [at](const ServeConfig& config) { return std::to_string(at(config)); }};
}

template <class At>
Option real(std::string key, std::string help, At at) {
  const auto set = [at](ServeConfig& config, std::string_view value) -> Status {
    double number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc() || rest != end || !std::isfinite(number) || number < 0) {
      return fail(Code::kInvalid, "must be a number, 0 or more");
    }
    at(config) = number;
    return {};
  };
  const auto print = [at](const ServeConfig& config) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), at(config)).ptr;
    std::string out(buffer.data(), end);
    return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
  };
  return {std::move(key), std::move(help), set, print};
}

template <class At>
Option bytes(std::string key, std::string help, At at, std::uint64_t min) {
  const auto set = [=](ServeConfig& config, std::string_view value) -> Status {
    MILLRACE_TRY(const auto size, parse_bytes(value));
    if (size < min) return fail(Code::kInvalid, "must be at least " + bytes_text(min));
    at(config) = size;
    return {};
  };
  return {std::move(key), std::move(help), set,
          [at](const ServeConfig& config) { return quoted(bytes_text(at(config))); }};
}

template <class At>
Option duration(std::string key, std::string help, At at, std::int64_t min_ms) {
  const auto set = [=](ServeConfig& config, std::string_view value) -> Status {
    MILLRACE_TRY(const auto ms, parse_duration_ms(value));
    if (ms < min_ms) return fail(Code::kInvalid, "must be at least " + duration_text(min_ms));
    at(config) = ms;
    return {};
  };
  return {std::move(key), std::move(help), set,
          [at](const ServeConfig& config) { return quoted(duration_text(at(config))); }};
}

// A duration, or the fields of cron.
template <class At>
Option schedule(std::string key, std::string help, At at) {
  const auto set = [=](ServeConfig& config, std::string_view value) -> Status {
    if (value.find(' ') != std::string_view::npos) {
      MILLRACE_TRY(at(config), Schedule::cron(value));
      return {};
    }
    MILLRACE_TRY(const auto ms, parse_duration_ms(value));
    at(config) = Schedule::every(ms);
    return {};
  };
  return {std::move(key), std::move(help), set, [at](const ServeConfig& config) {
            const Schedule& when = at(config);
            return quoted(when.cron_fields().empty() ? duration_text(when.every_ms())
                                                     : when.cron_fields());
          }};
}

template <class At>
Option choice(std::string key, std::string help, At at,
              std::vector<std::pair<std::string, Field<At>>> names) {
  const auto set = [=](ServeConfig& config, std::string_view value) -> Status {
    std::string known;
    for (const auto& [name, meaning] : names) {
      if (name == value) {
        at(config) = meaning;
        return {};
      }
      known += (known.empty() ? "" : ", ") + name;
    }
    return fail(Code::kInvalid, "must be one of " + known);
  };
  const auto print = [=](const ServeConfig& config) {
    const auto row = std::find_if(names.begin(), names.end(),
                                  [&](const auto& n) { return n.second == at(config); });
    return row == names.end() ? quoted("") : quoted(row->first);
  };
  return {std::move(key), std::move(help), set, print};
}

// "a,b" is two; `read` makes an element of each, `show` text of one.
template <class At, class Read, class Show>
Option several(std::string key, std::string help, At at, Read read, Show show) {
  const auto set = [at, read](ServeConfig& config, std::string_view value) -> Status {
    Field<At> all;
    while (!value.empty()) {
      const auto comma = std::min(value.find(','), value.size());
      MILLRACE_TRY(auto one, read(value.substr(0, comma)));
      all.push_back(std::move(one));
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
    at(config) = std::move(all);
    return {};
  };
  const auto print = [at, show](const ServeConfig& config) {
    std::string out;
    for (const auto& one : at(config)) out += (out.empty() ? "" : ",") + show(one);
    return quoted(out);
  };
  return {std::move(key), std::move(help), set, print};
}

}  // namespace millrace::app
