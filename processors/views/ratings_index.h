#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "schemas/ids.h"
#include "state/item_index.h"

namespace millrace::processors {

// What a person with a number (schemas/account.h) says of an item by rating it.
struct Rating {
  std::uint32_t user = 0;
  std::int32_t centi = 0;  // hundredths of a star
  bool reviewed = false;   // the event at `offset` has words, too: its notes
  UnixMillis created = 0;  // event time of the first rating that was not taken away since
  UnixMillis updated = 0;  // of the newest
  Offset offset = 0;       // of the newest, in the user's partition
  friend bool operator==(const Rating&, const Rating&) = default;
};

// A view: who rated an item, for reading the other way round than people's pages. Ratings of one
// item are ordered by user. Holds about `max_bytes` at most; what goes beyond is left out and
// counted. Thread-safe; items share locks in stripes.
class RatingsIndex {
 public:
  explicit RatingsIndex(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // `created` counts only where the user has not rated the item yet.
  void put(state::ItemIndex item, Rating rating);
  void erase(state::ItemIndex item, std::uint32_t user);
  void clear();

  std::uint32_t count(state::ItemIndex item) const;
  std::optional<Rating> find(state::ItemIndex item, std::uint32_t user) const;
  // `limit` of an item's ratings from the `from`th on.
  std::vector<Rating> page(state::ItemIndex item, std::size_t from, std::size_t limit) const;

  std::size_t memory_bytes() const { return held_.load() * sizeof(Rating) * 3 / 2; }  // about
  std::uint64_t refused() const { return refused_.load(); }

 private:
  static constexpr std::size_t kStripes = 64;
  static constexpr std::size_t kMaxBlock = 512;
  using Block = std::vector<Rating>;  // ascending by user, not empty
  using Blocks = std::vector<Block>;  // ascending
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<state::ItemIndex, Blocks> items;
  };

  static std::size_t block_for(const Blocks& blocks, std::uint32_t user);
  Stripe& stripe(state::ItemIndex item) { return stripes_[item % kStripes]; }
  const Stripe& stripe(state::ItemIndex item) const { return stripes_[item % kStripes]; }

  const std::size_t max_bytes_;
  std::array<Stripe, kStripes> stripes_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace millrace::processors
