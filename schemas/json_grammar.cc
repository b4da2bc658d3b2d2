#include "schemas/json_grammar.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace millrace {
namespace {

constexpr auto kPlain = [] {  // bytes that may stand in a string as they are
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 256; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

// Number of bytes, of the eight at `at`, before the first that may not stand in a string as it is.
std::size_t plain_bytes(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  // Each term sets the high bit of a byte that it looks for; above the first such byte it may err.
  const auto below = [](std::uint64_t bytes, std::uint64_t limit) {
    return (bytes - limit * kOnes) & ~bytes & kHigh;
  };
  const std::uint64_t found =
      below(word, 0x20) | below(word ^ ('"' * kOnes), 1) | below(word ^ ('\\' * kOnes), 1);
  return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Walks over one value. With `out`, every token is also appended there.
class Grammar {
 public:
  Grammar(std::string_view text, std::string* out)
      : at_(text.data()), begin_(at_), end_(at_ + text.size()), out_(out) {}

  bool document() {
    space();
    if (!value()) return false;
    space();
    return at_ == end_;
  }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool more() const { return at_ < end_; }
  bool next_is(char c) const { return more() && *at_ == c; }
  void space() {
    while (more() && is_space(*at_)) ++at_;
  }
  void copy(const char* from) {
    if (out_ != nullptr) out_->append(from, at_);
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    if (out_ != nullptr) *out_ += c;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    if (std::string_view(at_, end_).substr(0, expected.size()) != expected) return false;
    if (out_ != nullptr) *out_ += expected;
    at_ += expected.size();
    return true;
  }

  bool value() {
    if (!more()) return false;
    switch (*at_) {
      case '{': return container('}', true);
      case '[': return container(']', false);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  bool container(char closing, bool named) {
    if (++depth_ > kMaxJsonDepth) return false;
    take(*at_);
    space();
    if (!next_is(closing)) {
      do {
        space();
        if (named && !name()) return false;
        if (!value()) return false;
        space();
      } while (take(','));
    }
    --depth_;
    return take(closing);
  }

  bool name() {
    if (!string()) return false;
    space();
    if (!take(':')) return false;
    space();
    return true;
  }

  bool string() {
    const char* from = at_;
    if (!next_is('"')) return false;
    ++at_;
    while (more()) {
      if (end_ - at_ >= 8) at_ += plain_bytes(at_);
      if (!more()) return false;
      if (kPlain[static_cast<std::uint8_t>(*at_)]) {
        ++at_;
      } else if (*at_ == '"') {
        ++at_;
        copy(from);
        return true;
      } else if (*at_ != '\\' || !escape()) {
        return false;
      }
    }
    return false;
  }

  bool escape() {
    if (++at_ == end_) return false;
    const char kind = *at_++;
    if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!more() || !is_hex(*at_)) return false;
    }
    return true;
  }

  bool digits() {
    if (!more() || !is_digit(*at_)) return false;
    while (more() && is_digit(*at_)) ++at_;
    return true;
  }

  bool number() {
    const char* from = at_;
    if (next_is('-')) ++at_;
    if (next_is('0')) {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (next_is('.')) {
      ++at_;
      if (!digits()) return false;
    }
    if (next_is('e') || next_is('E')) {
      ++at_;
      if (next_is('+') || next_is('-')) ++at_;
      if (!digits()) return false;
    }
    copy(from);
    return true;
  }

  const char* at_;
  const char* begin_;
  const char* end_;
  std::string* out_;
  int depth_ = 0;
};

tl::unexpected<Error> not_json(const Grammar& grammar) {
  return fail(Code::kInvalid, "not JSON at byte " + std::to_string(grammar.offset()));
}

}  // namespace

Status check_json(std::string_view text) {
  Grammar grammar(text, nullptr);
  if (!grammar.document()) return not_json(grammar);
  return {};
}

Result<std::string> minify_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  Grammar grammar(text, &out);
  if (!grammar.document()) return not_json(grammar);
  return out;
}

}  // namespace millrace
