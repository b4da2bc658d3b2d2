#include "state/page_codec.h"

#include <algorithm>
#include <limits>

#include "schemas/proto/state.pb.h"

namespace millrace::state {
namespace {

// Differences and sums that wrap: an unexpected value must neither trap nor lose bits.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

template <class Message>
void put_counts(Message& message, const TypeCounts& counts) {
  for (const TypeCount& count : counts) {
    message.add_count_type(count.type);
    message.add_count_value(count.count);
  }
}

void put_rows(proto::RowPage& message, const RowPage& page) {
  ItemNumber item = 0;
  UnixMillis time = 0;
  const auto rows = static_cast<int>(page.size());
  message.mutable_trend()->Reserve(rows * 6);
  page.for_each([&](const ItemRow& row) {
    message.add_item(row.item - item);
    message.add_flags(row.flags);
    message.add_rating_centi(row.rating_centi);
    message.add_order(row.order);
    message.add_last_time_ms(minus(row.last_time, time));
    message.add_type_counts(static_cast<std::uint32_t>(row.counts.size()));
    put_counts(message, row.counts);
    for (const auto& share : row.trend) {
      message.add_trend(share.epoch);
      message.add_trend(share.newer);
      message.add_trend(share.older);
    }
    item = row.item;
    time = row.last_time;
  });
}

void put_stats(proto::ItemStats& message, const ItemStats& stats) {
  put_counts(message, stats.counts);
  message.set_likers(stats.likers);
  message.set_dislikers(stats.dislikers);
  message.set_savers(stats.savers);
  message.set_watchers(stats.watchers);
  message.set_raters(stats.raters);
  message.set_rating_sum_centi(stats.rating_sum_centi);
  for (const auto& sum : stats.trend) {
    auto& out = *message.add_trend();
    out.set_epoch(sum.epoch);
    out.set_newer_high(static_cast<std::int64_t>(sum.newer >> 64));
    out.set_newer_low(static_cast<std::uint64_t>(sum.newer));
    out.set_older_high(static_cast<std::int64_t>(sum.older >> 64));
    out.set_older_low(static_cast<std::uint64_t>(sum.older));
  }
}

}  // namespace

// Messages are kept and cleared: their columns keep the room they have grown to.
struct PageEncoder::Messages {
  proto::PersonHead head;
  proto::RowPage rows;
  proto::ItemChunk chunk;
  proto::DictionaryPage dictionary;
  proto::DuplicateBlock duplicates;
  proto::DeadLetter letter;
  proto::Profile profile;
};

PageEncoder::PageEncoder() : messages_(std::make_unique<Messages>()) {}
PageEncoder::~PageEncoder() = default;

namespace {
std::string_view bytes_of(const google::protobuf::MessageLite& message, std::string& into) {
  into.resize(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(into.data()));
  return into;
}
}  // namespace

std::string_view PageEncoder::person(const Person& person) {
  auto& head = messages_->head;
  head.Clear();
  put_counts(head, person.counts);
  head.set_events(person.events);
  head.set_next_order(person.next_order);
  head.mutable_sequence()->Add(person.sequence.begin(), person.sequence.end());
  ItemNumber first = 0;
  for (const RowPageRef& ref : person.pages) {
    head.add_page_first_item(ref.first_item - first);
    head.add_page_number(ref.number);
    first = ref.first_item;
  }
  head.set_next_page(person.next_page);
  if (person.pages.size() == 1) put_rows(*head.mutable_only_page(), *person.pages.front().page);
  head.set_history_tail(person.history_tail);
  head.set_history_first(person.history_first);
  head.set_history_next(person.history_next);
  head.set_history_first_log_ms(person.history_first_log_time);
  return bytes_of(head, bytes_);
}

std::string_view PageEncoder::row_page(const RowPage& page) {
  messages_->rows.Clear();
  put_rows(messages_->rows, page);
  return bytes_of(messages_->rows, bytes_);
}

std::string_view PageEncoder::item_chunk(const ItemChunk& chunk) {
  auto& message = messages_->chunk;
  message.Clear();
  std::size_t used = chunk.items.size();
  while (used > 0 && chunk.items[used - 1] == ItemStats{}) --used;
  for (std::size_t i = 0; i < used; ++i) put_stats(*message.add_items(), chunk.items[i]);
  return bytes_of(message, bytes_);
}

std::string_view PageEncoder::dictionary_page(std::span<const std::string_view> items) {
  auto& message = messages_->dictionary;
  message.Clear();
  for (const std::string_view item : items) message.add_item(item.data(), item.size());
  return bytes_of(message, bytes_);
}

std::string_view PageEncoder::duplicates(std::span<const Duplicates::Entry> entries) {
  auto& message = messages_->duplicates;
  message.Clear();
  Offset offset = 0;
  UnixMillis time = 0;
  std::string& hashes = *message.mutable_hashes();
  for (const auto& entry : entries) {
    hashes.append(Digest{entry.identity.low, entry.identity.high}.bytes());
    message.add_offset(minus(entry.first.offset, offset));
    message.add_log_time_ms(minus(entry.first.log_time, time));
    message.add_verdict(static_cast<std::uint32_t>(entry.first.verdict));
    offset = entry.first.offset;
    time = entry.first.log_time;
  }
  return bytes_of(message, bytes_);
}

std::string_view PageEncoder::dead_letter(const DeadLetter& letter) {
  auto& message = messages_->letter;
  message.set_offset(letter.offset);
  message.set_log_time_ms(letter.log_time);
  message.set_reason(letter.reason);
  message.set_record(letter.record);
  message.set_user(letter.user);
  return bytes_of(message, bytes_);
}

std::string_view PageEncoder::profile(const Profile& profile, const CatalogNames& names) {
  auto& message = messages_->profile;
  message.Clear();
  message.set_catalog_offset(profile.catalog_offset);
  message.set_events(profile.events);
  message.set_liked(profile.liked);
  for (const NameWeight& weight : profile.categories) {
    const auto name = names.categories.name(weight.name);
    message.add_category(name.data(), name.size());
    message.add_category_liked(static_cast<std::uint32_t>(weight.liked));
    message.add_category_interest(weight.interest);
  }
  for (const NameWeight& weight : profile.tags) {
    const auto name = names.tags.name(weight.name);
    message.add_tag(name.data(), name.size());
    message.add_tag_interest(weight.interest);
  }
  return bytes_of(message, bytes_);
}

std::string encode(const AppliedRow& row) {
  proto::Applied message;
  message.set_next_offset(row.applied.next_offset);
  message.set_last_record_hash(row.applied.last_record_hash);
  message.set_log_time_ms(row.applied.log_time);
  message.set_carried_catalog_offset(row.applied.carried_catalog_offset);
  message.set_ids(row.ids);
  message.set_digest(row.digest.bytes());
  message.set_ids_floor(row.ids_floor.sequence);
  message.set_ids_floor_log_ms(row.ids_floor.log_time);
  return message.SerializeAsString();
}

}  // namespace millrace::state
