#pragma once
#include <compare>
#include <functional>
#include <utility>

namespace millrace {

// A value of type Rep that cannot be mixed with another id of the same Rep. Explicit both ways.
template <class Rep, class Tag>
struct StrongId {
  Rep value{};

  StrongId() = default;
  explicit StrongId(Rep v) : value(std::move(v)) {}
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
};

}  // namespace millrace

template <class Rep, class Tag>
struct std::hash<millrace::StrongId<Rep, Tag>> {
  std::size_t operator()(const millrace::StrongId<Rep, Tag>& id) const {
    return std::hash<Rep>{}(id.value);
  }
};
