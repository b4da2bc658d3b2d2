#include "state/attribution.h"

namespace millrace::state {
namespace {

constexpr std::int32_t kHours = 24;

}  // namespace

void Attribution::restore(const std::vector<AttributionRow>& day) {
  for (const auto& row : day) rows_[{row.hour, row.algorithm}] = row.counts;
}

void Attribution::count(std::int32_t hour, std::string_view algorithm,
                        std::uint64_t AttributionCounts::*step) {
  const std::lock_guard guard(lock_);
  const auto day = hour / kHours;
  const auto newest = rows_.empty() ? day : rows_.rbegin()->first.first / kHours;
  if (day <= newest - kAttributionDays) return;
  ++(rows_[{hour, std::string(algorithm)}].*step);
  dirty_.insert(day);
  while (rows_.begin()->first.first / kHours <= day - kAttributionDays) {
    dirty_.insert(rows_.begin()->first.first / kHours);
    rows_.erase(rows_.begin());
  }
}

FrozenAttribution Attribution::freeze() {
  FrozenAttribution frozen;
  for (const auto day : std::exchange(dirty_, {})) {
    frozen.days[day] = read(day * kHours, (day + 1) * kHours);
  }
  return frozen;
}

std::vector<AttributionRow> Attribution::read(std::int32_t from, std::int32_t to) const {
  const std::lock_guard guard(lock_);
  std::vector<AttributionRow> out;
  for (auto row = rows_.lower_bound({from, {}}); row != rows_.end() && row->first.first < to;
       ++row) {
    out.push_back({row->first.first, row->first.second, row->second});
  }
  return out;
}

}  // namespace millrace::state
