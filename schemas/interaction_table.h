#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/event.h"

namespace millrace {

// Numbers of the built-in types. Stored in logs and state: never change or reuse one.
enum class BuiltIn : std::uint32_t {
  kView = 1,
  kProductView = 2,
  kImpression = 3,
  kClick = 4,
  kLike = 5,
  kUnlike = 6,
  kDislike = 7,
  kSave = 8,
  kUnsave = 9,
  kShare = 10,
  kSkip = 11,
  kPlay = 12,
  kComplete = 13,
  kRate = 14,
  kUnrate = 15,
  kWatch = 16,
  kUnwatch = 17,
  kCart = 18,
  kPurchase = 19,
};
inline constexpr std::uint32_t kFirstCustomType = 64;  // operator-made types count up from here

// One row of the interaction table: a type and what it weighs in trends.
struct InteractionType {
  std::uint32_t number = 0;
  std::string name;
  std::int32_t weight = 0;
};

// The table in force at acceptance: the built-in rows plus what the operator's configuration adds
// or changes. Immutable after construction; safe from many threads.
class InteractionTable {
 public:
  // `overrides`: (name, weight). A known name changes its weight, a new one gets the next number,
  // or the one that `known` (the ruleset in force) already gave it.
  explicit InteractionTable(const std::vector<std::pair<std::string, std::int32_t>>& overrides = {},
                            const std::vector<InteractionTypeName>& known = {});

  const InteractionType* find(std::string_view name) const;
  const InteractionType* find(std::uint32_t number) const;
  const std::vector<InteractionType>& rows() const { return rows_; }
  std::vector<InteractionTypeName> names() const;

 private:
  std::vector<InteractionType> rows_;  // ascending by number
};

}  // namespace millrace
