#include "schemas/record.h"

#include <limits>
#include <optional>
#include <utility>

#include "schemas/proto/records.pb.h"

namespace millrace {
namespace {

// Tag of LogRecord.interaction (field 1, length-delimited). Written and read by hand around the
// inner message, so that the hot path needs no allocated submessage; the bytes are plain protobuf.
constexpr char kInteractionTag = 0x0a;

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(Code::kCorrupt, "stored bytes are no " + std::string(what));
}

template <class Message>
bool parse(Message& message, std::string_view bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void append_varint(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

// The bytes of the one interaction that `bytes` holds and nothing else, if it has that form.
std::optional<std::string_view> sole_interaction(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kInteractionTag) return std::nullopt;
  std::uint64_t size = 0;
  std::size_t at = 1;
  for (int shift = 0; at < bytes.size() && shift < 35; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (size != bytes.size() - at) return std::nullopt;
  return bytes.substr(at);
}

void fill(proto::Interaction& message, const Interaction& interaction) {
  const Event& event = interaction.event;
  message.Clear();
  message.set_source(event.source);
  message.set_id(event.id);
  message.set_type(interaction.type_number);
  message.set_weight(interaction.weight);
  message.set_user(event.user.value);
  message.set_item(event.item.value);
  message.set_time_ms(event.time.value_or(0));
  message.set_session(event.session);
  if (event.value_centi) message.set_value_centi(*event.value_centi);
  if (event.duration_s) message.set_duration_s(*event.duration_s);
  message.set_mood(event.mood);
  if (event.mood_intensity) message.set_mood_intensity(*event.mood_intensity);
  message.set_device(event.device);
  message.set_context(event.context);
  message.set_context_is_object(event.context_is_object);
  message.set_notes(event.notes);
  message.set_recommendation_id(event.recommendation_id);
}

Result<LogRecord> interaction_of(const proto::Interaction& message) {
  if (message.user().empty() || message.item().empty() || message.type() == 0) {
    return corrupt("interaction: it names no user, item or type");
  }
  LogRecord record(std::in_place_type<Interaction>);
  auto& interaction = std::get<Interaction>(record);
  Event& event = interaction.event;
  interaction.type_number = message.type();
  interaction.weight = message.weight();
  event.source = message.source();
  event.id = message.id();
  event.user.value = message.user();
  event.item.value = message.item();
  event.time = message.time_ms();
  event.session = message.session();
  if (message.has_value_centi()) event.value_centi = message.value_centi();
  if (message.has_duration_s()) event.duration_s = message.duration_s();
  event.mood = message.mood();
  if (message.has_mood_intensity()) event.mood_intensity = message.mood_intensity();
  event.device = message.device();
  event.context = message.context();
  event.context_is_object = message.context_is_object();
  event.notes = message.notes();
  event.recommendation_id = message.recommendation_id();
  return record;
}

std::string encode_interaction(const Interaction& interaction) {
  thread_local proto::Interaction message;  // keeps its strings' capacity from one use to the next
  fill(message, interaction);
  const std::size_t size = message.ByteSizeLong();
  std::string out;
  out.reserve(size + 6);
  out += kInteractionTag;
  append_varint(out, size);
  message.AppendToString(&out);
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

Result<LogRecord> decode_log_record(std::string_view bytes) {
  if (const auto inner = sole_interaction(bytes)) {
    thread_local proto::Interaction message;
    if (!parse(message, *inner)) return corrupt("interaction");
    return interaction_of(message);
  }
  proto::LogRecord message;
  if (!parse(message, bytes)) return corrupt("log record");
  if (message.has_interaction()) return interaction_of(message.interaction());
  if (message.has_ruleset()) return ruleset_of(message.ruleset());
  if (!message.has_erase_user()) return corrupt("log record of a kind that this version knows");
  if (message.erase_user().user().empty()) return corrupt("erasure: it names no user");
  return EraseUser{UserId(message.erase_user().user()), message.erase_user().catalog_offset()};
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
