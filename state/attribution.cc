#include "state/attribution.h"

namespace millrace::state {

void Attribution::restore(const std::vector<AttributionRow>& row) {
  for (const auto& one : row) rows_[{one.hour, one.algorithm}] = one.counts;
}

void Attribution::count(std::int32_t hour, std::string_view algorithm,
                        std::uint64_t AttributionCounts::*step) {
  const std::lock_guard guard(lock_);
  const auto row = hour / span_.per_row;
  const auto newest = rows_.empty() ? row : rows_.rbegin()->first.first / span_.per_row;
  if (row <= newest - span_.rows) return;
  ++(rows_[{hour, std::string(algorithm)}].*step);
  dirty_.insert(row);
  while (rows_.begin()->first.first / span_.per_row <= row - span_.rows) {
    dirty_.insert(rows_.begin()->first.first / span_.per_row);
    rows_.erase(rows_.begin());
  }
}

FrozenAttribution Attribution::freeze() {
  FrozenAttribution frozen;
  for (const auto row : std::exchange(dirty_, {})) {
    frozen.rows[row] = read(row * span_.per_row, (row + 1) * span_.per_row);
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
