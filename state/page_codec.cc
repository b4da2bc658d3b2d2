#include "state/page_codec.h"

#include <algorithm>
#include <array>
#include <vector>

#include "schemas/proto/state.pb.h"
#include "schemas/wire.h"

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

// Numbers of a repeated field, packed. Rows and heads are written without message objects: each
// commit writes tens of thousands.
class Column {
 public:
  void clear() { size_ = 0; }
  void add(std::uint64_t number) {
    if (bytes_.size() - size_ < wire::kMaxVarint) bytes_.resize(2 * bytes_.size());
    size_ =
        static_cast<std::size_t>(wire::put_varint(bytes_.data() + size_, number) - bytes_.data());
  }
  void add_signed(std::int64_t number) { add(wire::zigzag(number)); }
  // As the field of a message; left out when empty.
  void put(wire::Writer& message, std::uint32_t field) const {
    message.text(field, {bytes_.data(), size_});
  }

 private:
  std::vector<char> bytes_ = std::vector<char>(8 * wire::kMaxVarint);
  std::size_t size_ = 0;
};

struct RowColumns {
  std::array<Column, 10> by_field;  // by number in proto::RowPage, from 1
  Column& operator[](std::uint32_t field) { return by_field[field]; }
};

void put_rows(std::string& out, RowColumns& columns, const RowPage& page) {
  enum : std::uint32_t { kItem = 1, kFlags, kRating, kOrder, kTime, kTypes, kType, kCount, kTrend };
  for (Column& column : columns.by_field) column.clear();
  ItemNumber item = 0;
  UnixMillis time = 0;
  page.for_each([&](const ItemRow& row) {
    columns[kItem].add(row.item - item);
    columns[kFlags].add(row.flags);
    columns[kRating].add_signed(row.rating_centi);
    columns[kOrder].add(row.order);
    columns[kTime].add_signed(minus(row.last_time, time));
    columns[kTypes].add(row.counts.size());
    for (const TypeCount& count : row.counts) {
      columns[kType].add(count.type);
      columns[kCount].add(count.count);
    }
    for (const auto& share : row.trend) {
      columns[kTrend].add_signed(share.epoch);
      columns[kTrend].add_signed(share.newer);
      columns[kTrend].add_signed(share.older);
    }
    item = row.item;
    time = row.last_time;
  });
  wire::Writer message(out);
  for (std::uint32_t field = kItem; field <= kTrend; ++field) columns[field].put(message, field);
}

void put_served(std::string& out, Column& items, const Served& served) {
  enum : std::uint32_t {
    kRecommendation = 1,
    kHour,
    kAlgorithm,
    kClicked,
    kActed,
    kExperiment,
    kCredited,
    kShown
  };
  wire::Writer message(out);
  message.number(kRecommendation, served.recommendation);
  message.signed_number(kHour, served.hour);
  message.text(kAlgorithm, served.algorithm);
  message.number(kClicked, served.clicked ? 1 : 0);
  message.number(kActed, served.acted ? 1 : 0);
  if (served.experiment == 0) return;
  message.number(kExperiment, served.experiment);
  message.number(kCredited, served.credited ? 1 : 0);
  items.clear();
  for (const std::uint32_t item : served.shown) items.add(item);
  items.put(message, kShown);
}

void put_trial(std::string& out, const Trial& trial) {
  enum : std::uint32_t {
    kExperiment = 1,
    kArm,
    kShown,
    kExposures,
    kClicks,
    kConversions,
    kFirst,
    kSecond
  };
  wire::Writer message(out);
  message.number(kExperiment, trial.experiment);
  message.number(kArm, trial.arm);
  message.signed_number(kShown, trial.shown);
  message.number(kExposures, trial.exposures);
  message.number(kClicks, trial.clicks);
  message.number(kConversions, trial.conversions);
  message.number(kFirst, trial.credits[0]);
  message.number(kSecond, trial.credits[1]);
}

void put_stats(proto::ItemStats& message, const ItemStats& stats) {
  put_counts(message, stats.counts);
  message.set_likers(stats.likers);
  message.set_dislikers(stats.dislikers);
  message.set_savers(stats.savers);
  message.set_watchers(stats.watchers);
  message.set_raters(stats.raters);
  message.set_rating_sum_centi(stats.rating_sum_centi);
  message.set_sold(stats.sold);
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

// Messages and columns are kept and cleared: they keep the room they have grown to.
struct PageEncoder::Messages {
  RowColumns rows;
  Column types, counts, sequence, first_items, numbers, shown;  // of a person
  std::string only_page, part;
  Column offsets, times, verdicts;  // of a block of identities
  std::string hashes;
  proto::ItemChunk chunk;
  proto::DictionaryPage dictionary;
  proto::DeadLetter letter;
  proto::Profile profile;
  proto::AttributionDay attribution;
  proto::ExperimentSums experiment;
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
  enum : std::uint32_t {
    kType = 1,
    kCount,
    kEvents,
    kNextOrder,
    kSequence,
    kFirstItem,
    kNumber,
    kNextPage,
    kOnlyPage,
    kHistoryTail,
    kHistoryFirst,
    kHistoryNext,
    kHistoryFirstLogTime,
    kServed,
    kTrial
  };
  auto& parts = *messages_;
  for (Column* column :
       {&parts.types, &parts.counts, &parts.sequence, &parts.first_items, &parts.numbers}) {
    column->clear();
  }
  for (const TypeCount& count : person.counts) {
    parts.types.add(count.type);
    parts.counts.add(count.count);
  }
  for (const ItemNumber item : person.sequence) parts.sequence.add(item);
  ItemNumber first = 0;
  for (const RowPageRef& ref : person.pages) {
    parts.first_items.add(ref.first_item - first);
    parts.numbers.add(ref.number);
    first = ref.first_item;
  }
  bytes_.clear();
  wire::Writer head(bytes_);
  parts.types.put(head, kType);
  parts.counts.put(head, kCount);
  head.number(kEvents, person.events);
  head.number(kNextOrder, person.next_order);
  parts.sequence.put(head, kSequence);
  parts.first_items.put(head, kFirstItem);
  parts.numbers.put(head, kNumber);
  head.number(kNextPage, person.next_page);
  if (person.pages.size() == 1) {
    parts.only_page.clear();
    put_rows(parts.only_page, parts.rows, *person.pages.front().page);
    head.message(kOnlyPage, parts.only_page);
  }
  head.text(kHistoryTail, person.history_tail);
  head.number(kHistoryFirst, person.history_first);
  head.number(kHistoryNext, person.history_next);
  head.signed_number(kHistoryFirstLogTime, person.history_first_log_time);
  for (const Served& served : person.served) {
    parts.part.clear();
    put_served(parts.part, parts.shown, served);
    head.message(kServed, parts.part);
  }
  for (const Trial& trial : person.trials) {
    parts.part.clear();
    put_trial(parts.part, trial);
    head.message(kTrial, parts.part);
  }
  return bytes_;
}

std::string_view PageEncoder::row_page(const RowPage& page) {
  bytes_.clear();
  put_rows(bytes_, messages_->rows, page);
  return bytes_;
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
  enum : std::uint32_t { kHashes = 1, kOffset, kLogTime, kVerdict };
  auto& parts = *messages_;
  for (Column* column : {&parts.offsets, &parts.times, &parts.verdicts}) column->clear();
  parts.hashes.clear();
  Offset offset = 0;
  UnixMillis time = 0;
  for (const auto& entry : entries) {
    for (const std::uint64_t half : {entry.identity.low, entry.identity.high}) {
      for (int shift = 0; shift < 64; shift += 8) {
        parts.hashes.push_back(static_cast<char>(static_cast<unsigned char>(half >> shift)));
      }
    }
    parts.offsets.add_signed(minus(entry.first.offset, offset));
    parts.times.add_signed(minus(entry.first.log_time, time));
    parts.verdicts.add(static_cast<std::uint32_t>(entry.first.verdict));
    offset = entry.first.offset;
    time = entry.first.log_time;
  }
  bytes_.clear();
  wire::Writer block(bytes_);
  block.text(kHashes, parts.hashes);
  parts.offsets.put(block, kOffset);
  parts.times.put(block, kLogTime);
  parts.verdicts.put(block, kVerdict);
  return bytes_;
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

std::string_view PageEncoder::attribution_day(std::span<const AttributionRow> rows) {
  auto& message = messages_->attribution;
  message.Clear();
  for (const AttributionRow& row : rows) {
    message.add_hour(row.hour);
    message.add_algorithm(row.algorithm);
    message.add_served(row.counts.served);
    message.add_clicked(row.counts.clicked);
    message.add_acted(row.counts.acted);
  }
  return bytes_of(message, bytes_);
}

std::string_view PageEncoder::experiment(const ExperimentSums& sums) {
  auto& message = messages_->experiment;
  message.Clear();
  for (const ArmSums& arm : sums) {
    auto& out = *message.add_arm();
    out.set_people(arm.people);
    out.set_exposures(arm.exposures);
    out.set_exposures_squared(arm.exposures_squared);
    out.set_clicks(arm.clicks);
    out.set_clicks_squared(arm.clicks_squared);
    out.set_exposures_clicks(arm.exposures_clicks);
    out.set_clickers(arm.clickers);
    out.set_conversions(arm.conversions);
    out.set_conversions_squared(arm.conversions_squared);
    out.set_converters(arm.converters);
    out.set_first_credits(arm.first_credits);
    out.set_second_credits(arm.second_credits);
    out.set_credits_squared(arm.credits_squared);
    out.set_prefer_first(arm.prefer_first);
    out.set_prefer_second(arm.prefer_second);
  }
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
