#pragma once
#include <compare>
#include <cstdint>
#include <string>

#include "base/strong_id.h"

namespace millrace {

// Ids are opaque, non-empty UTF-8 of at most kMaxIdBytes. Item ids of the product surfaces are
// `kind:number` (`movie:1`); the part behind the colon may be any text.
inline constexpr std::size_t kMaxIdBytes = 256;
using UserId = StrongId<std::string, struct UserIdTag>;
using ItemId = StrongId<std::string, struct ItemIdTag>;

// Index of a record in its partition, from 0. Offsets rise; they need not be dense.
using Offset = std::int64_t;

// The two logs of DESIGN.md. Numbers are stored: never change one.
enum class Topic : std::uint8_t { kInteractions = 0, kCatalog = 1 };

// One ordered stream of records. `catalog` has the single partition 0.
struct LogPartition {
  Topic topic = Topic::kInteractions;
  std::uint16_t index = 0;
  friend auto operator<=>(const LogPartition&, const LogPartition&) = default;
};

inline constexpr LogPartition kCatalogPartition{Topic::kCatalog, 0};

}  // namespace millrace
