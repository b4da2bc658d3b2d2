#include "schemas/ranking_rule.h"

#include <string_view>

#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"

namespace millrace {
namespace {

constexpr std::string_view kAttribute = "attr.";

Status check_selector(const RankingRule& rule) {
  const bool attribute =
      rule.field.starts_with(kAttribute) && rule.field.size() > kAttribute.size();
  if (rule.field != "category" && rule.field != "tag" && !attribute) {
    return fail(Code::kInvalid, "must be category, tag or attr.NAME", "field");
  }
  if (rule.value.empty() && rule.kind != RuleKind::kQuota) {
    return fail(Code::kInvalid, "is required", "value");
  }
  return {};
}

}  // namespace

Status check_rule(const RankingRule& rule) {
  if (rule.end != 0 && rule.end <= rule.start) {
    return fail(Code::kInvalid, "must be later than start", "end");
  }
  if (rule.kind == RuleKind::kPin) {
    if (rule.item.value.empty()) return fail(Code::kInvalid, "is required", "item");
    if (rule.place < 1 || rule.place > kMostPlace) {
      return fail(Code::kInvalid, "must be from 1 to 100", "place");
    }
    return {};
  }
  MILLRACE_CHECK(check_selector(rule));
  if (rule.kind == RuleKind::kBoost &&
      !(rule.factor >= kLeastFactor && rule.factor <= kMostFactor)) {
    return fail(Code::kInvalid, "must be from 0.01 to 100", "factor");
  }
  return {};
}

void fill(proto::RankingRule& message, const RankingRule& rule) {
  message.set_id(rule.id);
  message.set_kind(static_cast<std::uint32_t>(rule.kind));
  message.set_item(rule.item.value);
  message.set_place(rule.place);
  message.set_field(rule.field);
  message.set_value(rule.value);
  message.set_factor(rule.factor);
  message.set_most(rule.most);
  message.set_start_ms(rule.start);
  message.set_end_ms(rule.end);
}

Result<RankingRule> rule_of(const proto::RankingRule& message) {
  if (message.id().empty() || message.kind() > static_cast<std::uint32_t>(RuleKind::kQuota)) {
    return corrupt_bytes("ranking rule");
  }
  RankingRule rule{message.id(), static_cast<RuleKind>(message.kind())};
  rule.item = ItemId(message.item());
  rule.place = message.place();
  rule.field = message.field();
  rule.value = message.value();
  rule.factor = message.factor();
  rule.most = message.most();
  rule.start = message.start_ms();
  rule.end = message.end_ms();
  if (!check_rule(rule)) return corrupt_bytes("ranking rule: it is none of its kind");
  return rule;
}

}  // namespace millrace
