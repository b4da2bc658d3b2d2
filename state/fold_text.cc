#include "state/fold_text.h"

#include <cstdint>

#include "base/json_text.h"

namespace millrace::state {
namespace {

// One sign per code point: its base letter in lower case; '1' to '5' stand for two letters, '?' for
// a sign that stays as it is.
constexpr std::string_view kFrom00C0 =
    "aaaaaa1ceeeeiiiidnooooo?ouuuuy43aaaaaa1ceeeeiiiidnooooo?ouuuuy4y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii55jjkkklllllll"
    "lllnnnnnnnnnoooooo22rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
constexpr std::string_view kFrom1E00 =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwyas??3?aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy??????";
constexpr std::string_view kTwoLetters[] = {"ae", "oe", "ss", "th", "ij"};

char32_t decode(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  char32_t point = byte(0) & (0xffu >> (sequence.size() + 1));
  for (std::size_t i = 1; i < sequence.size(); ++i) point = point << 6 | (byte(i) & 0x3fu);
  return point;
}

// The sign of the table for a code point, '?' where there is none.
char latin(char32_t point) {
  if (point >= 0xc0 && point - 0xc0 < kFrom00C0.size()) return kFrom00C0[point - 0xc0];
  if (point >= 0x1e00 && point - 0x1e00 < kFrom1E00.size()) return kFrom1E00[point - 0x1e00];
  return '?';
}

// Greek and Cyrillic capitals to small letters; others stay.
char32_t lower(char32_t point) {
  if (point >= 0x391 && point <= 0x3a9) return point + 0x20;
  if (point >= 0x410 && point <= 0x42f) return point + 0x20;
  if (point >= 0x400 && point <= 0x40f) return point + 0x50;
  return point;
}

void append_two_bytes(std::string& out, char32_t point) {
  out += static_cast<char>(0xc0 | point >> 6);
  out += static_cast<char>(0x80 | (point & 0x3f));
}

void append_folded(std::string& out, std::string_view sequence) {
  const char32_t point = decode(sequence);
  if (point >= 0x300 && point < 0x370) return;  // combining accents
  if (const char sign = latin(point); sign >= '1' && sign <= '5') {
    out += kTwoLetters[sign - '1'];
  } else if (sign != '?') {
    out += sign;
  } else if (const char32_t small = lower(point); small != point) {
    append_two_bytes(out, small);
  } else {
    out += sequence;
  }
}

}  // namespace

std::string fold_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length <= 1) {
      const char c = text.front();
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
      text.remove_prefix(1);
    } else {
      append_folded(out, text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace millrace::state
