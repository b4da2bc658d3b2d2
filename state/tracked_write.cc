#include "state/tracked_write.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "state/keys.h"

namespace millrace::state {
namespace {

TrackedRow row_of(const InteractionView& interaction, ItemNumber item) {
  TrackedRow row;
  row.type = interaction.type_number;
  row.item = item;
  row.weight = interaction.weight;
  row.value_centi = interaction.value_centi;
  row.duration_s = interaction.duration_s;
  row.mood = interaction.mood;
  row.intensity = interaction.mood_intensity;
  row.context = interaction.context;
  row.notes = interaction.notes;
  return row;
}

}  // namespace

bool expired(const TrackedSums& sums, UnixMillis now, std::span<const TypeRetention> retention) {
  return std::any_of(retention.begin(), retention.end(), [&](const TypeRetention& keep) {
    return keep.type == sums.type && (sums.day + UnixMillis{1}) * kDayMs <= now - keep.ms;
  });
}

void TrackedWriter::put(Offset offset, std::string key, std::optional<std::string> value) {
  // What readers may hold is copied before it changes.
  if (!person_.tracked || person_.tracked.use_count() > 1) {
    person_.tracked = person_.tracked ? std::make_shared<PendingRows>(*person_.tracked)
                                      : std::make_shared<PendingRows>();
  }
  std::const_pointer_cast<PendingRows>(person_.tracked)
      ->put(std::move(key), {offset, std::move(value)});
}

void TrackedWriter::put_week(Offset offset, std::uint32_t week,
                             const std::vector<TrackedSums>& sums) {
  put(offset, keys::tracked_week(user_, week),
      sums.empty() ? std::nullopt : std::optional(encode(sums)));
}

// One row's step in the sums of its week.
Status TrackedWriter::change(Offset offset, const TrackedRow* before, const TrackedRow* after) {
  const auto week = week_of(day_of((after != nullptr ? after : before)->created));
  MILLRACE_TRY(auto sums, sums_of_week(db_, person_, user_, week));
  const auto kind = kind_of_id(items_.name((after != nullptr ? after : before)->item));
  if (after != nullptr) contribute(sums, *after, kind, 1);
  if (before != nullptr) contribute(sums, *before, kind, -1);
  put_week(offset, week, sums);
  return {};
}

Status TrackedWriter::track(Offset offset, UnixMillis log_time, const InteractionView& interaction,
                            ItemNumber item, std::int64_t keep_ms) {
  MILLRACE_TRY(auto before,
               find_tracked(db_, person_, user_, interaction.type_number, interaction.item));
  if (before && keep_ms > 0 && before->created < log_time - keep_ms) {
    put(offset, keys::tracked_row(user_, before->id), std::nullopt);
    MILLRACE_CHECK(change(offset, &*before, nullptr));
    before.reset();
  }
  auto after = row_of(interaction, item);
  after.id = before ? before->id : offset;
  after.created = before ? before->created : log_time;
  after.updated = log_time;
  auto key = keys::tracked_row(user_, after.id);
  if (!before) {
    put(offset, keys::tracked_place(user_, interaction.type_number, interaction.item), key);
  }
  put(offset, std::move(key), encode(after));
  return change(offset, before ? &*before : nullptr, &after);
}

Status TrackedWriter::expire(Offset offset, UnixMillis log_time,
                             std::span<const TypeRetention> retention) {
  MILLRACE_TRY(const auto all, stored_sums(db_, person_, user_));
  std::vector<TrackedSums> gone, kept;
  for (const auto& sums : all) (expired(sums, log_time, retention) ? gone : kept).push_back(sums);
  if (gone.empty()) return {};
  Offset from = INT64_MAX, below = INT64_MAX;
  for (const auto& sums : gone) from = std::min(from, sums.first);
  for (const auto& sums : kept) {
    if (sums.day > gone.back().day) below = std::min(below, sums.first);
  }
  std::set<std::pair<std::uint32_t, std::uint32_t>> places;
  for (const auto& sums : gone) places.emplace(sums.day, sums.type);
  std::vector<TrackedRow> rows;
  MILLRACE_CHECK(each_tracked(db_, person_, user_, from, below, [&](const TrackedRow& row) {
    if (places.contains({day_of(row.created), row.type})) rows.push_back(row);
    return true;
  }));
  for (const auto& row : rows) {
    put(offset, keys::tracked_row(user_, row.id), std::nullopt);
    put(offset, keys::tracked_place(user_, row.type, items_.name(row.item)), std::nullopt);
  }
  for (auto at = gone.begin(); at != gone.end();) {
    const auto week = week_of(at->day);
    std::vector<TrackedSums> left;
    for (const auto& sums : kept) {
      if (week_of(sums.day) == week) left.push_back(sums);
    }
    put_week(offset, week, left);
    while (at != gone.end() && week_of(at->day) == week) ++at;
  }
  return {};
}

}  // namespace millrace::state
