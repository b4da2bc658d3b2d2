#include "state/ranking_rules.h"

#include <utility>

#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

}  // namespace

CommandVerdict RankingRules::apply(const PutRule& put) {
  const bool fresh = !now_->contains(put.rule.id);
  if (fresh && now_->size() >= kMaxRankingRules) return {CommandOutcome::kFull};
  proto::RankingRule row;
  fill(row, put.rule);
  rows_.put(keys::of(keys::kRankingRule, put.rule.id), row.SerializeAsString());
  auto next = std::make_shared<RankingRulesView>(*now_);
  next->insert_or_assign(put.rule.id, put.rule);
  now_ = std::move(next);
  return {fresh ? CommandOutcome::kCreated : CommandOutcome::kReplaced};
}

CommandVerdict RankingRules::apply(const DeleteRule& gone) {
  if (!now_->contains(gone.id)) return {CommandOutcome::kNotFound};
  rows_.erase(keys::of(keys::kRankingRule, gone.id));
  auto next = std::make_shared<RankingRulesView>(*now_);
  next->erase(gone.id);
  now_ = std::move(next);
  return {CommandOutcome::kDeleted};
}

Status RankingRules::restore(std::string_view row) {
  proto::RankingRule message;
  if (!parse_message(message, row)) return corrupt_bytes("ranking rule's row");
  MILLRACE_TRY(auto rule, rule_of(message));
  auto next = std::make_shared<RankingRulesView>(*now_);
  next->insert_or_assign(rule.id, std::move(rule));
  now_ = std::move(next);
  return {};
}

}  // namespace millrace::state
