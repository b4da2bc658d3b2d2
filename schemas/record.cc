#include "schemas/record.h"

#include <limits>
#include <utility>

#include "schemas/proto/records.pb.h"
#include "schemas/wire.h"

namespace millrace {
namespace {

// Field numbers of proto::LogRecord. Interactions are read and written by hand: the hot path needs
// no message object; the bytes are plain protobuf.
constexpr std::uint32_t kInteraction = 1;
constexpr std::uint32_t kEraseUser = 3;  // the last alternative

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(Code::kCorrupt, "stored bytes are no " + std::string(what));
}

template <class Message>
bool parse(Message& message, std::string_view bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

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
  return record.SerializeAsString();
}

std::string encode_erase(const EraseUser& erase) {
  proto::LogRecord record;
  record.mutable_erase_user()->set_user(erase.user.value);
  record.mutable_erase_user()->set_catalog_offset(erase.catalog_offset);
  return record.SerializeAsString();
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
  return ruleset;
}

void fill(proto::Item& message, const Item& item) {
  message.set_id(item.id.value);
  message.set_kind(item.kind);
  message.set_title(item.title);
  for (const auto& category : item.categories) message.add_categories(category);
  for (const auto& tag : item.tags) message.add_tags(tag);
  message.set_price(item.price);
  if (item.created) message.set_created_ms(*item.created);
  if (item.published) message.set_published_ms(*item.published);
  message.set_attributes(item.attributes);
  message.set_hidden(item.hidden);
}

Result<Item> item_of(const proto::Item& message) {
  if (message.id().empty()) return corrupt("item: it has no id");
  Item item;
  item.id.value = message.id();
  item.kind = message.kind();
  item.title = message.title();
  item.categories.assign(message.categories().begin(), message.categories().end());
  item.tags.assign(message.tags().begin(), message.tags().end());
  item.price = message.price();
  if (message.has_created_ms()) item.created = message.created_ms();
  if (message.has_published_ms()) item.published = message.published_ms();
  item.attributes = message.attributes();
  item.hidden = message.hidden();
  return item;
}

}  // namespace

std::string encode(const LogRecord& record) {
  if (const auto* interaction = std::get_if<Interaction>(&record)) {
    return encode_interaction(*interaction);
  }
  if (const auto* ruleset = std::get_if<Ruleset>(&record)) return encode_ruleset(*ruleset);
  return encode_erase(std::get<EraseUser>(record));
}

Result<LogRecordView> view_log_record(std::string_view bytes) {
  std::uint32_t alternative = 0;
  std::string_view interaction;
  wire::Reader reader(bytes);
  while (reader.next()) {
    if (reader.field() <= kEraseUser && reader.is(wire::Kind::kBytes)) {
      alternative = reader.field();
      interaction = reader.bytes();
    }
  }
  if (!reader.ok()) return corrupt("log record");
  if (alternative == kInteraction) return read_interaction(interaction);
  proto::LogRecord message;
  if (!parse(message, bytes)) return corrupt("log record");
  if (message.has_ruleset()) return ruleset_of(message.ruleset());
  if (!message.has_erase_user()) return corrupt("log record of a kind that this version knows");
  if (message.erase_user().user().empty()) return corrupt("erasure: it names no user");
  return EraseUser{UserId(message.erase_user().user()), message.erase_user().catalog_offset()};
}

Result<LogRecord> decode_log_record(std::string_view bytes) {
  MILLRACE_TRY(auto view, view_log_record(bytes));
  if (const auto* interaction = std::get_if<InteractionView>(&view)) return copy_of(*interaction);
  if (auto* ruleset = std::get_if<Ruleset>(&view)) return std::move(*ruleset);
  return std::get<EraseUser>(std::move(view));
}

std::string encode(const CatalogRecord& record) {
  proto::CatalogRecord message;
  message.set_command_id(record.command_id);
  if (const auto* item = std::get_if<Item>(&record.change)) {
    fill(*message.mutable_item(), *item);
  } else if (const auto* gone = std::get_if<DeleteItem>(&record.change)) {
    message.set_delete_item(gone->id.value);
  } else {
    message.set_erase_user(std::get<DemandErase>(record.change).user.value);
  }
  return message.SerializeAsString();
}

Result<CatalogRecord> decode_catalog_record(std::string_view bytes) {
  proto::CatalogRecord message;
  if (!parse(message, bytes)) return corrupt("catalog record");
  CatalogRecord record;
  record.command_id = message.command_id();
  if (message.has_item()) {
    MILLRACE_TRY(record.change, item_of(message.item()));
    return record;
  }
  if (!message.delete_item().empty()) {
    record.change = DeleteItem{ItemId(message.delete_item())};
    return record;
  }
  if (message.erase_user().empty())
    return corrupt("catalog record of a kind that this version knows");
  record.change = DemandErase{UserId(message.erase_user())};
  return record;
}

std::string encode(const Item& item) {
  proto::Item message;
  fill(message, item);
  return message.SerializeAsString();
}

Result<Item> decode_item(std::string_view bytes) {
  proto::Item message;
  if (!parse(message, bytes)) return corrupt("item");
  return item_of(message);
}

}  // namespace millrace
