#include "serving/surfaces/base64.h"

#include <cstdint>

namespace millrace::serving {
namespace {

constexpr std::string_view kLettersAndDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string encoded(std::string_view bytes, std::string_view last_two) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t held = 0;
  int bits = 0;
  const auto put = [&](std::uint32_t six) {
    out += six < 62 ? kLettersAndDigits[six] : last_two[six - 62];
  };
  for (const char byte : bytes) {
    held = held << 8 | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 6; bits -= 6) put(held >> (bits - 6) & 63);
  }
  if (bits > 0) put(held << (6 - bits) & 63);
  return out;
}

}  // namespace

std::string base64url(std::string_view bytes) { return encoded(bytes, "-_"); }

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto letter = kLettersAndDigits.find(c);
    if (letter == std::string_view::npos && c != '-' && c != '_') return std::nullopt;
    const auto six = letter != std::string_view::npos ? static_cast<std::uint32_t>(letter)
                                                      : (c == '-' ? 62u : 63u);
    held = held << 6 | six;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 255);
  }
  if ((held & ((1u << bits) - 1)) != 0) return std::nullopt;  // the one text of each value
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out = encoded(bytes, "+/");
  while (out.size() % 4 != 0) out += '=';
  return out;
}

}  // namespace millrace::serving
