#include "state/item_cells.h"

#include <algorithm>
#include <limits>

#include "schemas/interaction_table.h"

namespace millrace::state {
namespace {

constexpr auto kWriteData = std::memory_order_release;
constexpr auto kReadData = std::memory_order_acquire;

std::uint32_t type_of(BuiltIn type) { return static_cast<std::uint32_t>(type); }

std::uint32_t saturated(std::uint64_t count) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

double ItemCounts::average_rating() const {
  return raters == 0 ? 0
                     : static_cast<double>(rating_sum_centi) / 100.0 / static_cast<double>(raters);
}

double ItemCounts::popularity() const {
  return average_rating() * 0.7 + static_cast<double>(watchers) * 0.3;
}

double ItemCounts::engagement(double view, double like, double share) const {
  return view * static_cast<double>(views) + like * static_cast<double>(likes) +
         share * static_cast<double>(shares);
}

// Release on every data store keeps it behind the odd sequence, acquire on every data load keeps it
// before the second look at the sequence: a seqlock without fences, which costs nothing on x86 and
// which ThreadSanitizer understands.
void ItemCells::store(ItemIndex item, const ItemStats& stats) {
  cells_.grow_to(std::size_t{item} + 1);
  Cell& cell = cells_[item];
  const std::uint32_t sequence = cell.sequence.load(std::memory_order_relaxed);
  cell.sequence.store(sequence + 1, std::memory_order_relaxed);
  const std::array<std::uint32_t, 7> counts{
      saturated(std::uint64_t{count_of(stats.counts, type_of(BuiltIn::kView))} +
                count_of(stats.counts, type_of(BuiltIn::kProductView))),
      count_of(stats.counts, type_of(BuiltIn::kPlay)),
      count_of(stats.counts, type_of(BuiltIn::kShare)),
      stats.likers,
      stats.savers,
      stats.watchers,
      stats.raters};
  for (std::size_t i = 0; i < counts.size(); ++i) cell.counts[i].store(counts[i], kWriteData);
  cell.rating_sum_centi.store(stats.rating_sum_centi, kWriteData);
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    const TrendReading trend = reading(stats.trend[h]);
    cell.trend[h].store(trend.at_start, kWriteData);
    cell.epoch[h].store(trend.epoch, kWriteData);
  }
  cell.sequence.store(sequence + 2, std::memory_order_release);
  if (stats.sold == 0) return;  // and never was more
  sold_.grow_to(std::size_t{item} + 1);
  sold_[item].store(stats.sold, std::memory_order_relaxed);
}

std::uint32_t ItemCells::sold(ItemIndex item) const {
  return item < sold_.size() ? sold_[item].load(std::memory_order_relaxed) : 0;
}

void ItemCells::add_to(ItemCounts& sum, ItemIndex item) const {
  if (item >= cells_.size()) return;
  const Cell& cell = cells_[item];
  std::array<std::uint32_t, 7> counts;
  std::int64_t rating_sum = 0;
  std::array<TrendReading, kHalfLives> trend;
  for (;;) {
    const std::uint32_t before = cell.sequence.load(std::memory_order_acquire);
    if (before & 1) continue;
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = cell.counts[i].load(kReadData);
    rating_sum = cell.rating_sum_centi.load(kReadData);
    for (std::size_t h = 0; h < kHalfLives; ++h) {
      trend[h] = {cell.epoch[h].load(kReadData), cell.trend[h].load(kReadData)};
    }
    if (cell.sequence.load(std::memory_order_relaxed) == before) break;
  }
  sum.views += counts[0];
  sum.plays += counts[1];
  sum.shares += counts[2];
  sum.likes += counts[3];
  sum.saves += counts[4];
  sum.watchers += counts[5];
  sum.raters += counts[6];
  sum.rating_sum_centi += rating_sum;
  for (std::size_t h = 0; h < kHalfLives; ++h) sum.trend[h].add(trend[h]);
}

std::size_t ItemCells::memory_bytes() const {
  constexpr std::size_t kChunk = 1024;
  return (cells_.size() + kChunk - 1) / kChunk * kChunk * sizeof(Cell) +
         sold_.size() * sizeof(std::uint32_t) +
         ChunkedVector<Cell>::capacity() / kChunk * sizeof(void*);
}

}  // namespace millrace::state
