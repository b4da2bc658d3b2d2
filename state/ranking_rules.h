#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/ranking_rule.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// All rules on answers at one place of the catalog's log, by id. Immutable.
using RankingRulesView = std::map<std::string, RankingRule, std::less<>>;

// What the catalog holds of them at most; more are refused (kFull): each answer looks at all.
inline constexpr std::size_t kMaxRankingRules = 200;

// Applies what the catalog's log says of rules on answers. One thread.
class RankingRules {
 public:
  explicit RankingRules(FactRows& rows) : rows_(rows) {}

  CommandVerdict apply(const PutRule& put);
  CommandVerdict apply(const DeleteRule& gone);

  std::shared_ptr<const RankingRulesView> view() const { return now_; }
  Status restore(std::string_view row);  // on opening; kCorrupt

 private:
  FactRows& rows_;
  std::shared_ptr<const RankingRulesView> now_ = std::make_shared<const RankingRulesView>();
};

}  // namespace millrace::state
