#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace millrace {

// What kind of failure this is. The HTTP edge maps every value to one status
// (serving/http/problem.cc).
enum class Code : std::uint8_t {
  kInvalid,       // the caller's input breaks a rule; `field` and `detail` say which
  kUnauthorized,  // no credential, or a bad one
  kForbidden,     // a good credential without the right
  kNotFound,
  kConflict,
  kTooLarge,
  kExhausted,    // a limit on rate, queue or connections: try again later
  kUnavailable,  // cannot be done now (log not writable, not caught up): try again later
  kTimeout,
  kCorrupt,  // stored bytes are not what was written
  kIo,
  kInternal,
};

// Stable lower-case name of a code, as used in metrics and machine-readable answers.
std::string_view code_name(Code code);

// A failure that can be expected. `detail` is for people and says what to do next where that is
// known.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string detail;
  std::string field;  // the input's field that broke the rule, empty otherwise

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string detail, std::string field = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail), std::move(field)});
}

}  // namespace millrace

#define MILLRACE_CONCAT_INNER(a, b) a##b
#define MILLRACE_CONCAT(a, b) MILLRACE_CONCAT_INNER(a, b)
#define MILLRACE_TRY_INTO(tmp, decl, expr)                                                \
  auto tmp = (expr);                                                                      \
  if (!tmp.has_value()) return tl::unexpected<::millrace::Error>(std::move(tmp.error())); \
  decl = std::move(tmp.value())
// MILLRACE_TRY(auto x, expr): x is the value of a Result expression; returns its error otherwise.
#define MILLRACE_TRY(decl, expr) MILLRACE_TRY_INTO(MILLRACE_CONCAT(try_, __LINE__), decl, expr)
// MILLRACE_CHECK(expr): the same for a Status.
#define MILLRACE_CHECK(expr)                                                   \
  do {                                                                         \
    auto try_status = (expr);                                                  \
    if (!try_status.has_value())                                               \
      return tl::unexpected<::millrace::Error>(std::move(try_status.error())); \
  } while (false)
