#include "schemas/record.h"

#include <utility>

#include "schemas/experiment.h"
#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"
#include "schemas/wire.h"

namespace millrace {
namespace {

// Field numbers of proto::LogRecord. Interactions are read and written by hand: the hot path needs
// no message object; the bytes are plain protobuf.
constexpr std::uint32_t kInteraction = 1;
constexpr std::uint32_t kExpireTracked = 5;  // the last alternative

std::string encode_interaction(const Interaction& interaction) {
  thread_local std::string message;  // keeps its capacity from one use to the next
  message.clear();
  append_interaction(message, view_of(interaction));
  std::string out;
  out.reserve(message.size() + 1 + wire::kMaxVarint);
  wire::Writer(out).message(kInteraction, message);
  return out;
}

std::string encode_ruleset(const Ruleset& ruleset) {
  proto::LogRecord record;
  proto::Ruleset& message = *record.mutable_ruleset();
  message.set_rule_version(ruleset.rule_version);
  for (const auto& [number, name] : ruleset.types) {
    auto* type = message.add_types();
    type->set_number(number);
    type->set_name(name);
  }
  message.set_short_half_life_ms(ruleset.short_half_life_ms);
  message.set_long_half_life_ms(ruleset.long_half_life_ms);
  message.set_sequence_window(ruleset.sequence_window);
  message.set_dedupe_ids(ruleset.dedupe_ids);
  message.set_dedupe_ms(ruleset.dedupe_ms);
  message.set_history_retention_ms(ruleset.history_retention_ms);
  for (const auto& [number, ms] : ruleset.tracked_retention) {
    auto* retention = message.add_tracked_retention();
    retention->set_type(number);
    retention->set_ms(ms);
  }
  return record.SerializeAsString();
}

std::string encode_erase(const EraseUser& erase) {
  proto::LogRecord record;
  record.mutable_erase_user()->set_user(erase.user.value);
  record.mutable_erase_user()->set_catalog_offset(erase.catalog_offset);
  if (erase.events) record.mutable_erase_user()->set_events(*erase.events);
  return record.SerializeAsString();
}

std::string encode_impression(const Impression& impression) {
  proto::LogRecord record;
  auto& message = *record.mutable_impression();
  message.set_recommendation_id(impression.recommendation_id);
  message.set_user(impression.user.value);
  message.set_algorithm(impression.algorithm);
  message.set_seed(impression.seed);
  message.set_time_ms(impression.time);
  for (const auto& item : impression.items) message.add_item(item.value);
  message.set_experiment(impression.experiment);
  message.set_arm(impression.arm);
  for (const bool second : impression.second) message.add_team(second ? 1 : 0);
  message.mutable_score()->Assign(impression.scores.begin(), impression.scores.end());
  return record.SerializeAsString();
}

Result<Impression> impression_of(const proto::Impression& message) {
  if (message.user().empty() || message.recommendation_id().empty()) {
    return corrupt_bytes("impression: it names no user or recommendation");
  }
  if (message.arm() >= kMaxVariants ||
      (message.team_size() != 0 && message.team_size() != message.item_size())) {
    return corrupt_bytes("impression: it is of no such variant");
  }
  Impression impression{message.recommendation_id(), UserId(message.user()),
                        message.algorithm(),         message.seed(),
                        message.time_ms(),           {}};
  for (const auto& item : message.item()) impression.items.emplace_back(item);
  impression.experiment = message.experiment();
  impression.arm = message.arm();
  for (const auto team : message.team()) impression.second.push_back(team != 0);
  impression.scores.assign(message.score().begin(), message.score().end());
  return impression;
}

std::string encode_expire(const ExpireTracked& expire) {
  proto::LogRecord record;
  record.mutable_expire_tracked()->set_user(expire.user.value);
  return record.SerializeAsString();
}

Result<EraseUser> erase_of(const proto::EraseUser& message) {
  if (message.user().empty()) return corrupt_bytes("erasure: it names no user");
  EraseUser erase{UserId(message.user()), message.catalog_offset()};
  if (message.has_events()) erase.events = message.events();
  return erase;
}

Ruleset ruleset_of(const proto::Ruleset& message) {
  Ruleset ruleset;
  ruleset.rule_version = message.rule_version();
  for (const auto& type : message.types()) ruleset.types.push_back({type.number(), type.name()});
  ruleset.short_half_life_ms = message.short_half_life_ms();
  ruleset.long_half_life_ms = message.long_half_life_ms();
  ruleset.sequence_window = message.sequence_window();
  ruleset.dedupe_ids = message.dedupe_ids();
  ruleset.dedupe_ms = message.dedupe_ms();
  ruleset.history_retention_ms = message.history_retention_ms();
  for (const auto& retention : message.tracked_retention()) {
    ruleset.tracked_retention.push_back({retention.type(), retention.ms()});
  }
  return ruleset;
}

}  // namespace

std::string encode(const LogRecord& record) {
  if (const auto* interaction = std::get_if<Interaction>(&record)) {
    return encode_interaction(*interaction);
  }
  if (const auto* ruleset = std::get_if<Ruleset>(&record)) return encode_ruleset(*ruleset);
  if (const auto* erase = std::get_if<EraseUser>(&record)) return encode_erase(*erase);
  if (const auto* impression = std::get_if<Impression>(&record)) {
    return encode_impression(*impression);
  }
  return encode_expire(std::get<ExpireTracked>(record));
}

Result<LogRecordView> view_log_record(std::string_view bytes) {
  std::uint32_t alternative = 0;
  std::string_view interaction;
  wire::Reader reader(bytes);
  while (reader.next()) {
    if (reader.field() <= kExpireTracked && reader.is(wire::Kind::kBytes)) {
      alternative = reader.field();
      interaction = reader.bytes();
    }
  }
  if (!reader.ok()) return corrupt_bytes("log record");
  if (alternative == kInteraction) return read_interaction(interaction);
  proto::LogRecord message;
  if (!parse_message(message, bytes)) return corrupt_bytes("log record");
  if (message.has_ruleset()) return ruleset_of(message.ruleset());
  if (message.has_impression()) return impression_of(message.impression());
  if (message.has_expire_tracked()) {
    return ExpireTracked{UserId(message.expire_tracked().user())};
  }
  if (!message.has_erase_user())
    return corrupt_bytes("log record of a kind that this version knows");
  return erase_of(message.erase_user());
}

Result<LogRecord> decode_log_record(std::string_view bytes) {
  MILLRACE_TRY(auto view, view_log_record(bytes));
  if (const auto* interaction = std::get_if<InteractionView>(&view)) return copy_of(*interaction);
  if (auto* ruleset = std::get_if<Ruleset>(&view)) return std::move(*ruleset);
  if (auto* erase = std::get_if<EraseUser>(&view)) return std::move(*erase);
  if (auto* expire = std::get_if<ExpireTracked>(&view)) return std::move(*expire);
  return std::get<Impression>(std::move(view));
}

}  // namespace millrace
