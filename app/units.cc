#include "app/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace millrace::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::uint64_t kKi = 1024;
constexpr std::array<Unit, 5> kBinary{{{"TiB", kKi* kKi* kKi* kKi},
                                       {"GiB", kKi* kKi* kKi},
                                       {"MiB", kKi* kKi},
                                       {"KiB", kKi},
                                       {"", 1}}};
constexpr std::array<Unit, 5> kDecimal{
    {{"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"kB", 1'000}, {"B", 1}}};
constexpr std::array<Unit, 5> kTime{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

// The number in front of `text` times the unit behind it, if that is one of `units`.
Result<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return fail(Code::kInvalid, "no number");
  const std::string_view name(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.size) break;
    return number * unit.size;
  }
  return fail(Code::kInvalid, "no such unit, or too large");
}

std::string in_largest(std::uint64_t amount, std::span<const Unit> units) {
  for (const auto& unit : units) {
    if (amount % unit.size == 0) return std::to_string(amount / unit.size) + std::string(unit.name);
  }
  return std::to_string(amount);
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  if (auto binary = scaled(text, kBinary)) return binary;
  if (auto decimal = scaled(text, kDecimal)) return decimal;
  return fail(Code::kInvalid, "must be a size such as 512MiB");
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes == 0 ? "0" : in_largest(bytes, kBinary);
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  if (text == "0") return 0;
  if (auto ms = scaled(text, kTime)) return static_cast<std::int64_t>(*ms);
  return fail(Code::kInvalid, "must be a time with its unit, such as 100ms, 10s, 5m, 6h or 7d");
}

std::string duration_text(std::int64_t ms) {
  return ms == 0 ? "0" : in_largest(static_cast<std::uint64_t>(ms), kTime);
}

}  // namespace millrace::app
