#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "base/chunked_vector.h"
#include "state/item_index.h"
#include "state/pages.h"

namespace millrace::state {

// An item's statistics over the partitions that this node holds, copied at one instant.
struct ItemCounts {
  std::uint64_t views = 0;  // view and product_view events
  std::uint64_t plays = 0;
  std::uint64_t shares = 0;
  std::uint64_t likes = 0;  // people who have it now
  std::uint64_t saves = 0;
  std::uint64_t watchers = 0;
  std::uint64_t raters = 0;
  std::int64_t rating_sum_centi = 0;
  std::array<TrendReading, kHalfLives> trend{};

  double average_rating() const;  // stars; 0 without ratings
  double popularity() const;      // average rating * 0.7 + watchers * 0.3 (seed 001)
  double engagement(double view = 0.01, double like = 1.0, double share = 1.2) const;  // seed 000
};

// One partition's column of 64-byte cells, dense by ItemIndex. One writer; any number of readers,
// who copy a cell under its seqlock and never hold up the writer. Counts saturate at 2^32 - 1.
class ItemCells {
 public:
  void store(ItemIndex item, const ItemStats& stats);     // writer only
  void add_to(ItemCounts& counts, ItemIndex item) const;  // any thread; nothing for an unknown item
  std::uint32_t sold(ItemIndex item) const;               // any thread
  std::size_t memory_bytes() const;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint32_t> sequence{0};  // odd while being written
    std::array<std::atomic<std::uint32_t>, 7> counts{};
    std::atomic<std::int64_t> rating_sum_centi{0};
    std::array<std::atomic<double>, kHalfLives> trend{};
    std::array<std::atomic<std::int32_t>, kHalfLives> epoch{};
  };
  static_assert(sizeof(Cell) == 64);
  ChunkedVector<Cell> cells_;
  ChunkedVector<std::atomic<std::uint32_t>, 16384, 4096>
      sold_;  // as far as the last item that ever sold
};

}  // namespace millrace::state
