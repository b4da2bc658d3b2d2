#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/ids.h"

namespace millrace {

namespace proto {
class RankingRule;
}

// What an operator's rule does with ranked answers. Stored: never change a number.
enum class RuleKind : std::uint8_t {
  kPin = 0,    // puts `item` at `place`
  kBoost = 1,  // multiplies the score of items with `field` = `value` by `factor`
  kBury = 2,   // puts items with `field` = `value` behind all others
  kQuota =
      3,  // at most `most` items with `field` = `value`; without a value: with each value of it
};

// A rule on answers. `field` is "category", "tag" or "attr.NAME", a member of the item's
// `attributes`.
struct RankingRule {
  std::string id;
  RuleKind kind = RuleKind::kPin;
  ItemId item{};            // kPin
  std::uint32_t place = 0;  // kPin: from 1 on
  std::string field{};
  std::string value{};
  double factor = 1;       // kBoost
  std::uint32_t most = 0;  // kQuota
  UnixMillis start = 0;
  UnixMillis end = 0;  // not included; 0: never

  bool in_force(UnixMillis now) const { return start <= now && (end == 0 || now < end); }
  friend bool operator==(const RankingRule&, const RankingRule&) = default;
};

inline constexpr double kLeastFactor = 0.01, kMostFactor = 100;
inline constexpr std::uint32_t kMostPlace = 100;

// ---- Changes in the catalog's log.

// Replaces one of the same id.
struct PutRule {
  RankingRule rule;
  friend bool operator==(const PutRule&, const PutRule&) = default;
};

struct DeleteRule {
  std::string id;
  friend bool operator==(const DeleteRule&, const DeleteRule&) = default;
};

// Whether a rule says what its kind needs: kInvalid names the field.
Status check_rule(const RankingRule& rule);

// The stored form (protobuf, schemas/proto/records.proto) and back: kCorrupt for what is none.
void fill(proto::RankingRule& message, const RankingRule& rule);
Result<RankingRule> rule_of(const proto::RankingRule& message);

}  // namespace millrace
