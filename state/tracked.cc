#include "state/tracked.h"

#include <algorithm>

#include "schemas/interaction_table.h"
#include "schemas/proto/state.pb.h"
#include "schemas/rules.h"
#include "schemas/stored_message.h"

namespace millrace::state {
namespace {

// So that squares of odd values, which come past /interactions/track, add up in 64 bits.
constexpr std::int64_t kMostValue = 1'000'000;

// Sums that wrap: what was added can always be taken away.
void add(std::int64_t& sum, std::int64_t by, int sign) {
  sum =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                static_cast<std::uint64_t>(sign) * static_cast<std::uint64_t>(by));
}
void add(std::uint64_t& sum, std::uint64_t by, int sign) {
  sum += static_cast<std::uint64_t>(sign) * by;
}

template <class Key>
void add_count(std::vector<std::pair<Key, std::uint64_t>>& counts, const Key& key, int sign) {
  auto at = std::lower_bound(counts.begin(), counts.end(), key,
                             [](const auto& count, const Key& k) { return count.first < k; });
  if (at == counts.end() || at->first != key) at = counts.insert(at, {key, 0});
  add(at->second, 1, sign);
  if (at->second == 0) counts.erase(at);
}

// Reads numbers one by one; once there are too few, all that follow are 0.
class Numbers {
 public:
  explicit Numbers(const proto::TrackedWeek& message) : message_(message) {}

  bool more() const { return ok_ && at_ < message_.number_size(); }
  bool ok() const { return ok_; }
  std::int64_t next() {
    if (at_ < message_.number_size()) return message_.number(at_++);
    ok_ = false;
    return 0;
  }
  std::uint64_t natural() { return static_cast<std::uint64_t>(next()); }
  // How many elements of `size` numbers follow.
  std::uint64_t count(std::uint64_t size) {
    const auto count = natural();
    const auto left = static_cast<std::uint64_t>(message_.number_size() - at_);
    if (count > left / size) ok_ = false;
    return ok_ ? count : 0;
  }

 private:
  const proto::TrackedWeek& message_;
  int at_ = 0;
  bool ok_ = true;
};

void append(proto::TrackedWeek& message, const TrackedSums& sums, std::uint32_t day_before) {
  const auto put = [&message](auto number) {
    message.add_number(static_cast<std::int64_t>(number));
  };
  const UnixMillis begin = sums.day * kDayMs;
  put(sums.day - day_before);
  put(sums.type);
  put(sums.first);
  put(sums.earliest - begin);
  put(sums.latest - begin);
  for (const auto number : {sums.count, sums.timed, sums.seconds, sums.moods}) put(number);
  for (const auto number : {sums.x, sums.y, sums.xx, sums.yy, sums.xy}) put(number);
  put(sums.quarters.size());
  for (const auto& [quarter, count] : sums.quarters) {
    put(quarter);
    put(count);
  }
  put(sums.kinds.size());
  for (const auto& [kind, count] : sums.kinds) {
    auto& names = *message.mutable_kind();
    const auto known = std::find(names.begin(), names.end(), kind);
    put(known - names.begin());
    if (known == names.end()) *names.Add() = kind;
    put(count);
  }
}

Result<TrackedSums> take(Numbers& numbers, const proto::TrackedWeek& message,
                         std::uint32_t day_before) {
  TrackedSums sums;
  sums.day = day_before + static_cast<std::uint32_t>(numbers.next());
  const UnixMillis begin = sums.day * kDayMs;
  sums.type = static_cast<std::uint32_t>(numbers.next());
  sums.first = numbers.next();
  sums.earliest = begin + static_cast<std::uint32_t>(numbers.next());
  sums.latest = begin + static_cast<std::uint32_t>(numbers.next());
  for (auto* number : {&sums.count, &sums.timed, &sums.seconds, &sums.moods}) {
    *number = numbers.natural();
  }
  for (auto* number : {&sums.x, &sums.y, &sums.xx, &sums.yy, &sums.xy}) *number = numbers.next();
  sums.quarters.resize(numbers.count(2));
  for (auto& [quarter, count] : sums.quarters) {
    quarter = static_cast<std::uint32_t>(numbers.next());
    count = numbers.natural();
  }
  sums.kinds.resize(numbers.count(2));
  for (auto& [kind, count] : sums.kinds) {
    const auto place = numbers.next();
    if (place < 0 || place >= message.kind_size()) return corrupt_bytes("sums of tracked rows");
    kind = message.kind(static_cast<int>(place));
    count = numbers.natural();
  }
  return sums;
}

}  // namespace

std::optional<std::int64_t> tracked_value(const TrackedRow& row) {
  if (!row.value_centi) return std::nullopt;
  return *row.value_centi / (row.type == static_cast<std::uint32_t>(BuiltIn::kRate) ? 50 : 100);
}

std::string_view kind_of_id(std::string_view item) {
  const auto kind = item.substr(0, item.find(':'));
  return kind.size() < item.size() && is_kind(kind) ? kind : "content";
}

void contribute(std::vector<TrackedSums>& sums, const TrackedRow& row, std::string_view kind,
                int sign) {
  const auto day = day_of(row.created);
  auto at = std::lower_bound(
      sums.begin(), sums.end(), std::pair(day, row.type),
      [](const TrackedSums& s, const auto& place) { return std::pair(s.day, s.type) < place; });
  if (at == sums.end() || at->day != day || at->type != row.type) {
    at = sums.insert(at, {day, row.type, row.id, row.created, row.created});
  }
  at->first = std::min(at->first, row.id);
  at->earliest = std::min(at->earliest, row.created);
  at->latest = std::max(at->latest, row.created);
  add(at->count, 1, sign);
  if (row.duration_s) {
    add(at->timed, 1, sign);
    add(at->seconds, *row.duration_s, sign);
  }
  if (row.intensity) {
    const std::int64_t x = *row.intensity;
    const auto y = std::clamp(tracked_value(row).value_or(row.weight), -kMostValue, kMostValue);
    add(at->moods, 1, sign);
    add(at->x, x, sign);
    add(at->y, y, sign);
    add(at->xx, x * x, sign);
    add(at->yy, y * y, sign);
    add(at->xy, x * y, sign);
  }
  add_count(at->quarters, static_cast<std::uint32_t>(row.created % kDayMs / kQuarterMs), sign);
  add_count(at->kinds, std::string(kind), sign);
  if (at->count == 0) sums.erase(at);
}

std::string encode(const TrackedRow& row) {
  proto::TrackedRow message;
  message.set_created_ms(row.created);
  message.set_updated_ms(row.updated);
  message.set_type(row.type);
  message.set_item(row.item);
  message.set_weight(row.weight);
  if (row.value_centi) message.set_value_centi(*row.value_centi);
  if (row.duration_s) message.set_duration_s(*row.duration_s);
  message.set_mood(row.mood);
  if (row.intensity) message.set_mood_intensity(*row.intensity);
  message.set_context(row.context);
  message.set_notes(row.notes);
  return message.SerializeAsString();
}

Result<TrackedRow> decode_tracked_row(std::string_view bytes, Offset id) {
  static thread_local proto::TrackedRow message;
  if (!parse_message(message, bytes)) return corrupt_bytes("tracked row");
  TrackedRow row;
  row.id = id;
  row.created = message.created_ms();
  row.updated = message.updated_ms();
  row.type = message.type();
  row.item = message.item();
  row.weight = message.weight();
  if (message.has_value_centi()) row.value_centi = message.value_centi();
  if (message.has_duration_s()) row.duration_s = message.duration_s();
  row.mood = message.mood();
  if (message.has_mood_intensity()) row.intensity = message.mood_intensity();
  row.context = message.context();
  row.notes = message.notes();
  return row;
}

std::string encode(const std::vector<TrackedSums>& sums) {
  proto::TrackedWeek message;
  std::uint32_t day = 0;
  for (const auto& one : sums) append(message, one, std::exchange(day, one.day));
  return message.SerializeAsString();
}

Result<std::vector<TrackedSums>> decode_tracked_sums(std::string_view bytes) {
  static thread_local proto::TrackedWeek message;
  if (!parse_message(message, bytes)) return corrupt_bytes("sums of tracked rows");
  std::vector<TrackedSums> all;
  Numbers numbers(message);
  while (numbers.more()) {
    MILLRACE_TRY(auto sums, take(numbers, message, all.empty() ? 0 : all.back().day));
    all.push_back(std::move(sums));
  }
  if (!numbers.ok()) return corrupt_bytes("sums of tracked rows");
  return all;
}

}  // namespace millrace::state
