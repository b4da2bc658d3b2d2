#include "app/table_options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "app/option_kinds.h"
#include "schemas/currency.h"
#include "schemas/interaction_table.h"
#include "serving/surfaces/list.h"

namespace millrace::app {
namespace {

// "127.0.0.1:5001" or "[::1]:5001".
Result<ListenAddress> read_address(std::string_view text) {
  constexpr const char* kRule =
      "must be ADDRESS:PORT[=SURFACE,...], an IPv6 address in brackets, the port from 0 to 65535";
  const auto colon = text.rfind(':');
  ListenAddress out;
  if (colon == std::string_view::npos || colon == 0) return fail(Code::kInvalid, kRule);
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, out.port);
  const bool bare_v6 = host.find(':') != std::string_view::npos && text.front() != '[';
  if (host.empty() || bare_v6 || digits.empty() || error != std::errc() || rest != end) {
    return fail(Code::kInvalid, kRule);
  }
  out.host = std::string(host);
  return out;
}

// "127.0.0.1:5001=store,v1,0.0.0.0:80" is two: what has no port is one more surface.
Status set_listen(ServeConfig& config, std::string_view text) {
  auto& all = config.http.listen;
  do {
    const auto comma = std::min(text.find(','), text.size());
    auto piece = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (piece.find(':') != std::string_view::npos || all.empty()) {
      const auto equals = std::min(piece.find('='), piece.size());
      MILLRACE_TRY(auto address, read_address(piece.substr(0, equals)));
      all.push_back(std::move(address));
      if (equals == piece.size()) continue;
      piece.remove_prefix(equals + 1);
      if (piece.empty()) continue;
    }
    MILLRACE_TRY(auto surface, read_surface(piece));
    all.back().surfaces.push_back(std::move(surface));
  } while (!text.empty());
  return {};
}

std::string print_listen(const ServeConfig& config) {
  std::string out;
  for (const auto& address : config.http.listen) {
    std::string surfaces;
    for (const auto& name : address.surfaces) surfaces += (surfaces.empty() ? "" : ",") + name;
    out += quoted(address.text()) + " = " + quoted(surfaces) + "\n";
  }
  return out;
}

using Rows = std::vector<std::pair<std::string, std::int32_t>>;

// Puts "name=number" among rows by name; says `rule` when the number is outside [min, max].
Status set_row(Rows& rows, std::string_view text, std::int32_t min, std::int32_t max,
               const std::string& rule) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return fail(Code::kInvalid, rule);
  const std::string name(text.substr(0, equals));
  const std::string_view digits = text.substr(equals + 1);
  std::int32_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  const bool named = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
  if (!named || error != std::errc() || rest != end || number < min || number > max) {
    return fail(Code::kInvalid, rule);
  }
  const auto row = std::lower_bound(rows.begin(), rows.end(), name,
                                    [](const auto& r, const auto& n) { return r.first < n; });
  if (row != rows.end() && row->first == name) {
    row->second = number;
  } else {
    rows.insert(row, {name, number});
  }
  return {};
}

std::string print_rows(const Rows& rows) {
  std::string out;
  for (const auto& [name, number] : rows) out += name + " = " + std::to_string(number) + "\n";
  return out;
}

Status set_interactions(ServeConfig& config, std::string_view text) {
  return set_row(config.rules.interactions, text, -1'000, 1'000,
                 "must be name=weight, the name of a-z, 0-9 and _, the weight a whole number from "
                 "-1000 to 1000");
}

Status set_retention(ServeConfig& config, std::string_view text) {
  const std::string rule =
      "must be type=days, the type a built-in one, days a whole number from 1 to 36500";
  const InteractionTable known;
  if (known.find(text.substr(0, text.find('='))) == nullptr) {
    return fail(Code::kInvalid, rule);
  }
  return set_row(config.rules.retention, text, 1, 36'500, rule);
}

// A property's name as librdkafka has it: whether it exists, the log finds out.
Status set_kafka_property(ServeConfig& config, std::string_view text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return fail(Code::kInvalid, "must be name=value, the name one of librdkafka's");
  }
  const std::string name(text.substr(0, equals));
  auto& rows = config.kafka.properties;
  const auto row = std::lower_bound(rows.begin(), rows.end(), name,
                                    [](const auto& r, const auto& n) { return r.first < n; });
  if (row != rows.end() && row->first == name) {
    row->second = text.substr(equals + 1);
  } else {
    rows.insert(row, {name, std::string(text.substr(equals + 1))});
  }
  return {};
}

bool is_secret(std::string_view property) {
  for (const std::string_view part : {"password", "secret", "token", "pem", "oauth", "jaas"}) {
    if (property.find(part) != std::string_view::npos) return true;
  }
  return false;
}

std::string print_kafka_properties(const ServeConfig& config) {
  std::string out;
  for (const auto& [name, value] : config.kafka.properties) {
    out += is_secret(name) ? "# " + quoted(name) + " = \"********\"\n"
                           : quoted(name) + " = " + quoted(value) + "\n";
  }
  return out;
}

std::string print_interactions(const ServeConfig& config) {
  return print_rows(config.rules.interactions);
}
std::string print_retention(const ServeConfig& config) {
  return print_rows(config.rules.retention);
}

Status set_currency(ServeConfig& config, std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto code = text.substr(0, equals);
  const auto rate = text.substr(std::min(equals + 1, text.size()));
  if (!check_currency(code) || !check_rate(rate)) {
    return fail(
        Code::kInvalid,
        "must be CODE=RATE, the code of three letters A-Z, the rate a decimal above 0 of at "
        "most nine digits before the point and nine behind it");
  }
  config.currencies[std::string(code)] = std::string(rate);
  return {};
}

std::string print_currencies(const ServeConfig& config) {
  std::string out;
  for (const auto& [code, rate] : config.currencies) out += code + " = " + quoted(rate) + "\n";
  return out;
}

}  // namespace

Result<std::string> read_surface(std::string_view name) {
  if (serving::is_surface(name)) return std::string(name);
  return fail(Code::kInvalid, "must name surfaces of " + serving::surface_names() +
                                  ": there is no " + std::string(name));
}

std::vector<Option> table_options() {
  return {
      {"listen", "one more address and its surfaces, all of them unless named", set_listen,
       print_listen, false, true, "listen"},
      {"currencies", "what one unit of the prices' currency is worth in another: CODE=RATE",
       set_currency, print_currencies, false, true, "currency"},
      {"interactions", "weight of an interaction type, known or new: name=weight", set_interactions,
       print_interactions, false, true, "interaction"},
      {"retention", "days that a type's rows of /interactions are kept: type=days", set_retention,
       print_retention, false, true, "retain"},
      {"kafka_properties", "property of librdkafka (security, timeouts): name=value",
       set_kafka_property, print_kafka_properties, true, true, "kafka-property"},
  };
}

}  // namespace millrace::app
