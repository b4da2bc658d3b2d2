#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/chunked_vector.h"
#include "state/item_index.h"
#include "state/pages.h"

namespace millrace::processors {

struct Neighbour {
  state::ItemIndex item = state::kNoItem;
  std::uint32_t count = 0;  // people who had both within one window
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

// How often two items come close together in people's sequences: a symmetric matrix of counts, by
// rows that are open-addressing tables of (item, count), 8 bytes an entry. Each pair stands in both
// rows, so that a row can be read by itself: about 24 bytes a pair at the mean fill of 0.66 (a
// window of 50 over 10 million interactions and 100,000 items is about 1 GB by halves, twice that
// here; a budget bounds it).
//
// Thread-safe: rows are guarded by striped locks, one held at a time; readers copy out. What comes
// out does not depend on the order of writers as long as the budget is not reached. Beyond it new
// pairs are refused and counted, known ones go on counting.
class Cooccurrence {
  struct Half {  // of a pair: `other` counts once more in the row
    state::ItemIndex row = 0, other = 0;
  };

 public:
  explicit Cooccurrence(std::size_t budget_bytes = SIZE_MAX);
  ~Cooccurrence();

  // A person's sequence grew by `item`; `window` holds those before it that it pairs with, without
  // repeats and without `item`.
  void add(state::ItemIndex item, std::span<const state::ItemIndex> window);
  // Takes back an add with the same arguments.
  void remove(state::ItemIndex item, std::span<const state::ItemIndex> window);
  void clear();

  // Adds of many people taken together: each stripe's lock once, its rows while they are in the
  // cache. One thread a batch; what it holds counts from settle() on.
  class Batch {
   public:
    void add(state::ItemIndex item, std::span<const state::ItemIndex> window);
    void settle(Cooccurrence& table);
    bool large() const { return halves_.size() >= kLarge; }  // enough to settle

   private:
    static constexpr std::size_t kLarge = 1u << 18;  // 2 MiB
    std::vector<state::ItemIndex> items_;
    std::vector<Half> halves_, ordered_;
  };

  std::vector<Neighbour> row(state::ItemIndex item) const;  // in no particular order
  // The same, but of more than kStrongest those of the highest count / (sqrt(people of both) +
  // shrink), as of when they were chosen: anew once the item's people are 1/64 more, and whenever
  // something was taken back. 4 KB beside a row.
  static constexpr std::uint32_t kStrongest = 500;
  std::shared_ptr<const std::vector<Neighbour>> strongest(state::ItemIndex item,
                                                          double shrink) const;
  std::uint32_t people(state::ItemIndex item) const;  // who have it in their sequence
  std::size_t memory_bytes() const;
  std::uint64_t refused() const;  // halves of pairs, for want of budget

 private:
  struct Row;
  static constexpr std::size_t kStripes = 256;

  void change(state::ItemIndex row, std::span<const state::ItemIndex> others, bool add);
  void count(Row& row, state::ItemIndex other);  // with the row's lock held
  void uncount(Row& row, state::ItemIndex other);
  void forget_strongest(Row& row);
  void keep_strongest(std::vector<Neighbour>& row, std::uint32_t people_of_row,
                      double shrink) const;
  void count_stripe(std::span<const Half> halves);
  std::mutex& lock_of(state::ItemIndex item) const { return locks_[item % kStripes].mutex; }
  Row& row_for(state::ItemIndex item);  // grows the table

  struct alignas(64) Stripe {
    mutable std::mutex mutex;
    std::uint64_t uncounted = 0;  // times that counts of its rows may have fallen
  };
  const std::size_t budget_;
  std::unique_ptr<Stripe[]> locks_;
  std::mutex grow_;
  ChunkedVector<Row> rows_;  // by ItemIndex
  // By ItemIndex, as many as rows_. Apart from them: rankers ask for thousands of these at a time.
  ChunkedVector<std::atomic<std::uint32_t>, 4096, 16384> people_;
  mutable std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> refused_{0};
};

// All of a person's sequence, oldest first: the items that have a place in it.
std::vector<state::ItemNumber> whole_sequence(const state::Person& person);

}  // namespace millrace::processors
