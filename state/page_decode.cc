#include <algorithm>
#include <limits>

#include "schemas/proto/state.pb.h"
#include "state/page_codec.h"

namespace millrace::state {
namespace {

tl::unexpected<Error> corrupt(const char* what) {
  return fail(Code::kCorrupt, std::string("stored ") + what + " cannot be read");
}

std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// A message of the thread's own: its columns keep the room they have grown to.
template <class Message>
const Message* parsed(std::string_view bytes) {
  static thread_local Message message;
  if (bytes.size() > std::numeric_limits<int>::max()) return nullptr;
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? &message : nullptr;
}

// Pairs [from, to) of the columns; nothing when they are not ascending by type and above zero.
template <class Message>
std::optional<TypeCounts> counts_in(const Message& message, int from, int to) {
  TypeCounts counts;
  for (int i = from; i < to; ++i) {
    const TypeCount count{message.count_type(i), message.count_value(i)};
    if (count.count == 0 || (i > from && count.type <= counts.back().type)) return std::nullopt;
    counts.push_back(count);
  }
  return counts;
}

template <class Message>
std::optional<TypeCounts> all_counts(const Message& message) {
  if (message.count_type_size() != message.count_value_size()) return std::nullopt;
  return counts_in(message, 0, message.count_type_size());
}

bool even_columns(const proto::RowPage& message) {
  const int rows = message.item_size();
  return message.flags_size() == rows && message.rating_centi_size() == rows &&
         message.order_size() == rows && message.last_time_ms_size() == rows &&
         message.type_counts_size() == rows &&
         message.trend_size() == std::int64_t{rows} * static_cast<int>(kHalfLives) * 3 &&
         message.count_type_size() == message.count_value_size();
}

// No writer goes beyond kMaxRowsPerPage; a page keeps its size in a byte.
constexpr int kMaxStoredRows = 255;

Result<std::shared_ptr<RowPage>> rows_in(const proto::RowPage& message) {
  if (!even_columns(message) || message.item_size() > kMaxStoredRows) return corrupt("row page");
  std::vector<ItemRow> rows;
  rows.reserve(static_cast<std::size_t>(message.item_size()));
  std::uint64_t item = 0;
  UnixMillis time = 0;
  int pairs = 0, trend = 0;
  for (int i = 0; i < message.item_size(); ++i) {
    if (i > 0 && message.item(i) == 0) return corrupt("row page");
    item += message.item(i);
    time = plus(time, message.last_time_ms(i));
    const std::int64_t end = std::int64_t{pairs} + message.type_counts(i);
    if (item > std::numeric_limits<ItemNumber>::max() || end > message.count_type_size()) {
      return corrupt("row page");
    }
    auto counts = counts_in(message, pairs, static_cast<int>(end));
    if (!counts) return corrupt("row page");
    ItemRow& row = rows.emplace_back();
    row.item = static_cast<ItemNumber>(item);
    row.flags = static_cast<std::uint8_t>(message.flags(i));
    row.rating_centi = message.rating_centi(i);
    row.order = message.order(i);
    row.last_time = time;
    row.counts = std::move(*counts);
    for (auto& share : row.trend) {
      share.epoch = static_cast<std::int32_t>(message.trend(trend));
      share.newer = message.trend(trend + 1);
      share.older = message.trend(trend + 2);
      trend += 3;
    }
    pairs = static_cast<int>(end);
  }
  if (pairs != message.count_type_size()) return corrupt("row page");
  return std::make_shared<RowPage>(rows);
}

Wide wide(std::int64_t high, std::uint64_t low) {
  return static_cast<Wide>(static_cast<unsigned __int128>(high) << 64 | low);
}

std::optional<ItemStats> stats_in(const proto::ItemStats& message) {
  auto counts = all_counts(message);
  if (!counts || message.trend_size() > static_cast<int>(kHalfLives)) return std::nullopt;
  ItemStats stats;
  stats.counts = std::move(*counts);
  stats.likers = message.likers();
  stats.dislikers = message.dislikers();
  stats.savers = message.savers();
  stats.watchers = message.watchers();
  stats.raters = message.raters();
  stats.rating_sum_centi = message.rating_sum_centi();
  stats.sold = message.sold();
  for (int h = 0; h < message.trend_size(); ++h) {
    const auto& sum = message.trend(h);
    stats.trend[static_cast<std::size_t>(h)] = {sum.epoch(),
                                                wide(sum.newer_high(), sum.newer_low()),
                                                wide(sum.older_high(), sum.older_low())};
  }
  return stats;
}

void sort_by_name(std::vector<NameWeight>& weights) {
  std::sort(weights.begin(), weights.end(),
            [](const NameWeight& a, const NameWeight& b) { return a.name < b.name; });
}

}  // namespace

Result<Person> decode_person(std::string_view bytes) {
  const auto* head = parsed<proto::PersonHead>(bytes);
  if (head == nullptr || head->page_first_item_size() != head->page_number_size()) {
    return corrupt("person");
  }
  auto counts = all_counts(*head);
  if (!counts) return corrupt("person");
  Person person;
  person.counts = std::move(*counts);
  person.events = head->events();
  person.next_order = head->next_order();
  person.sequence.assign(head->sequence().begin(), head->sequence().end());
  person.next_page = head->next_page();
  person.history_tail = head->history_tail();
  person.history_first = head->history_first();
  person.history_next = head->history_next();
  person.history_first_log_time = head->history_first_log_ms();
  if (person.history_first > person.history_next) return corrupt("person");
  if (head->served_size() > static_cast<int>(kServedKept)) return corrupt("person");
  for (const auto& one : head->served()) {
    person.served.push_back({one.recommendation(),
                             one.hour(),
                             one.algorithm(),
                             one.clicked(),
                             one.acted(),
                             one.experiment(),
                             one.credited(),
                             {one.shown().begin(), one.shown().end()}});
  }
  if (head->trial_size() > static_cast<int>(kTrialsKept)) return corrupt("person");
  for (const auto& one : head->trial()) {
    person.trials.push_back({one.experiment(),
                             one.arm(),
                             one.shown_ms(),
                             one.exposures(),
                             one.clicks(),
                             one.conversions(),
                             {one.first_credits(), one.second_credits()}});
  }
  std::uint64_t first = 0;
  person.pages.reserve(static_cast<std::size_t>(head->page_number_size()));
  for (int i = 0; i < head->page_number_size(); ++i) {
    const std::uint32_t step = head->page_first_item(i);
    first += step;
    if ((i == 0) != (step == 0) || first > std::numeric_limits<ItemNumber>::max()) {
      return corrupt("person");
    }
    person.pages.push_back({static_cast<ItemNumber>(first), head->page_number(i), nullptr});
  }
  if (head->has_only_page() != (person.pages.size() == 1)) return corrupt("person");
  if (head->has_only_page()) {
    MILLRACE_TRY(person.pages.front().page, rows_in(head->only_page()));
  }
  return person;
}

Result<std::shared_ptr<RowPage>> decode_row_page(std::string_view bytes) {
  const auto* message = parsed<proto::RowPage>(bytes);
  if (message == nullptr) return corrupt("row page");
  return rows_in(*message);
}

Result<std::shared_ptr<ItemChunk>> decode_item_chunk(std::string_view bytes) {
  const auto* message = parsed<proto::ItemChunk>(bytes);
  if (message == nullptr || message->items_size() > static_cast<int>(kItemsPerChunk)) {
    return corrupt("item chunk");
  }
  auto chunk = std::make_shared<ItemChunk>();
  for (int i = 0; i < message->items_size(); ++i) {
    auto stats = stats_in(message->items(i));
    if (!stats) return corrupt("item chunk");
    chunk->items[static_cast<std::size_t>(i)] = std::move(*stats);
  }
  return chunk;
}

Result<std::vector<std::string>> decode_dictionary_page(std::string_view bytes) {
  const auto* message = parsed<proto::DictionaryPage>(bytes);
  if (message == nullptr) return corrupt("dictionary page");
  return std::vector<std::string>(message->item().begin(), message->item().end());
}

Result<std::vector<Duplicates::Entry>> decode_duplicates(std::string_view bytes) {
  const auto* message = parsed<proto::DuplicateBlock>(bytes);
  if (message == nullptr) return corrupt("duplicate block");
  const auto count = static_cast<std::size_t>(message->offset_size());
  if (message->hashes().size() != count * 16 ||
      message->log_time_ms_size() != message->offset_size() ||
      message->verdict_size() != message->offset_size()) {
    return corrupt("duplicate block");
  }
  std::vector<Duplicates::Entry> entries(count);
  Offset offset = 0;
  UnixMillis time = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = static_cast<int>(i);
    const Digest hash = Digest::from_bytes(std::string_view(message->hashes()).substr(i * 16, 16));
    offset = plus(offset, message->offset(at));
    time = plus(time, message->log_time_ms(at));
    if (message->verdict(at) > static_cast<std::uint32_t>(Verdict::kUndone)) {
      return corrupt("duplicate block");
    }
    entries[i] = {{hash.low, hash.high},
                  {offset, time, static_cast<Verdict>(message->verdict(at))}};
  }
  return entries;
}

Result<std::vector<AttributionRow>> decode_attribution_day(std::string_view bytes) {
  const auto* message = parsed<proto::AttributionDay>(bytes);
  const auto even = [message](int size) { return size == message->hour_size(); };
  if (message == nullptr || !even(message->algorithm_size()) || !even(message->served_size()) ||
      !even(message->clicked_size()) || !even(message->acted_size())) {
    return corrupt("attribution day");
  }
  std::vector<AttributionRow> rows;
  for (int i = 0; i < message->hour_size(); ++i) {
    rows.push_back({message->hour(i),
                    message->algorithm(i),
                    {message->served(i), message->clicked(i), message->acted(i)}});
  }
  return rows;
}

Result<ExperimentSums> decode_experiment(std::string_view bytes) {
  const auto* message = parsed<proto::ExperimentSums>(bytes);
  if (message == nullptr) return corrupt("experiment's sums");
  ExperimentSums sums;
  for (const auto& arm : message->arm()) {
    sums.push_back({arm.people(), arm.exposures(), arm.exposures_squared(), arm.clicks(),
                    arm.clicks_squared(), arm.exposures_clicks(), arm.clickers(), arm.conversions(),
                    arm.conversions_squared(), arm.converters(), arm.first_credits(),
                    arm.second_credits(), arm.credits_squared(), arm.prefer_first(),
                    arm.prefer_second()});
  }
  return sums;
}

Result<DeadLetter> decode_dead_letter(std::string_view bytes) {
  const auto* message = parsed<proto::DeadLetter>(bytes);
  if (message == nullptr) return corrupt("dead letter");
  return DeadLetter{message->offset(), message->log_time_ms(), message->reason(), message->record(),
                    message->user()};
}

Result<std::shared_ptr<const Profile>> decode_profile(std::string_view bytes, CatalogNames& names) {
  const auto* message = parsed<proto::Profile>(bytes);
  if (message == nullptr || message->category_liked_size() != message->category_size() ||
      message->category_interest_size() != message->category_size() ||
      message->tag_interest_size() != message->tag_size()) {
    return corrupt("profile");
  }
  auto profile = std::make_shared<Profile>();
  profile->catalog_offset = message->catalog_offset();
  profile->events = message->events();
  profile->liked = message->liked();
  for (int i = 0; i < message->category_size(); ++i) {
    profile->categories.push_back({names.categories.intern(message->category(i)),
                                   static_cast<std::int32_t>(message->category_liked(i)),
                                   message->category_interest(i)});
  }
  for (int i = 0; i < message->tag_size(); ++i) {
    profile->tags.push_back({names.tags.intern(message->tag(i)), 0, message->tag_interest(i)});
  }
  sort_by_name(profile->categories);
  sort_by_name(profile->tags);
  return std::shared_ptr<const Profile>(std::move(profile));
}

Result<AppliedRow> decode_applied(std::string_view bytes) {
  const auto* message = parsed<proto::Applied>(bytes);
  if (message == nullptr || message->digest().size() != 16) return corrupt("position");
  AppliedRow row;
  row.applied = {message->next_offset(), message->last_record_hash(), message->log_time_ms(),
                 message->carried_catalog_offset()};
  row.ids = message->ids();
  row.ids_floor = {message->ids_floor(), message->ids_floor_log_ms()};
  row.digest = Digest::from_bytes(message->digest());
  return row;
}

}  // namespace millrace::state
