#include "schemas/position.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace millrace {
namespace {

// The whole of `text` as a number without sign, or nothing.
template <class Number>
std::optional<Number> digits(std::string_view text) {
  Number number{};
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<LogPartition> partition(std::string_view name) {
  if (name == "c") return kCatalogPartition;
  if (name.empty() || name.front() != 'i') return std::nullopt;
  const auto index = digits<std::uint16_t>(name.substr(1));
  if (!index) return std::nullopt;
  return LogPartition{Topic::kInteractions, *index};
}

}  // namespace

void Position::include(LogPartition partition, Offset offset) {
  const auto [entry, added] = at_.try_emplace(partition, offset);
  if (!added) entry->second = std::max(entry->second, offset);
}

void Position::include(const Position& other) {
  for (const auto& [partition, offset] : other.at_) include(partition, offset);
}

std::string Position::text() const {
  std::string out;
  for (const auto& [partition, offset] : at_) {
    if (!out.empty()) out += ',';
    out += partition.topic == Topic::kCatalog ? "c" : "i" + std::to_string(partition.index);
    out += ':';
    out += std::to_string(offset);
  }
  return out;
}

Result<Position> Position::parse(std::string_view text) {
  Position position;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view entry = text.substr(from, comma - from);
    const std::size_t colon = std::min(entry.find(':'), entry.size());
    const auto where = partition(entry.substr(0, colon));
    const auto offset = digits<Offset>(entry.substr(std::min(colon + 1, entry.size())));
    if (!where || !offset) {
      return fail(Code::kInvalid, "a position reads like i2:1041,c:7", "position");
    }
    position.include(*where, *offset);
    from = comma + 1;
  }
  return position;
}

}  // namespace millrace
