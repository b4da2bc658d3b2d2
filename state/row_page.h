#pragma once
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "state/digest.h"
#include "state/trend.h"

namespace millrace::state {

// Number of an item in its partition's dictionary: 0, 1, 2 … in the order of first mention in the
// log.
using ItemNumber = std::uint32_t;

struct TypeCount {
  std::uint32_t type = 0;
  std::uint32_t count = 0;
  friend bool operator==(const TypeCount&, const TypeCount&) = default;
};
// Ascending by type; no zero counts.
using TypeCounts = boost::container::small_vector<TypeCount, 8>;
void add_count(TypeCounts& counts, std::uint32_t type, std::int64_t by);
std::uint32_t count_of(const TypeCounts& counts, std::uint32_t type);

// Stored bits: never change one.
enum RowFlag : std::uint8_t {
  kLiked = 1,
  kDisliked = 2,
  kSaved = 4,
  kWatched = 8,
  kRated = 16,
};

// One person's dealings with one item.
struct ItemRow {
  ItemNumber item = 0;
  std::uint8_t flags = 0;
  std::int32_t rating_centi = 0;  // hundredths of a star, with kRated
  std::uint32_t order = 0;        // place in the person's sequence, from 1; 0: not in it
  UnixMillis last_time = 0;       // event time of the last event in log order
  TypeCounts counts;
  TrendShare trend{};

  bool has(RowFlag flag) const { return (flags & flag) != 0; }
  friend bool operator==(const ItemRow&, const ItemRow&) = default;
};

// Rows ascending by item; at most kMaxRowsPerPage. Packed: people are in memory whole and are
// cloned when they change, and a row as a struct takes four times the room.
inline constexpr std::size_t kMaxRowsPerPage = 32;
class RowPage {
 public:
  RowPage() = default;
  explicit RowPage(const std::vector<ItemRow>& rows);  // ascending by item

  std::size_t size() const { return size_; }
  std::optional<ItemRow> find(ItemNumber item) const;
  RowPage roomy_copy() const;    // with room for one more row
  void put(const ItemRow& row);  // replaces or inserts
  std::vector<ItemRow> rows() const;
  template <class F>
  void for_each(F&& f) const {
    for (const char* at = packed_.data(); at != packed_.data() + packed_.size();) f(take(at));
  }
  // The items of rows whose last_time is not before `since` and that count an event of one of
  // `types` (bits by number, below 64). No more of a row is read than that takes.
  template <class F>
  void for_each_item_with(std::uint64_t types, UnixMillis since, F&& f) const {
    for (const char* at = packed_.data(); at != packed_.data() + packed_.size();) {
      if (const auto item = take_item_with(at, types, since)) f(*item);
    }
  }
  std::string_view packed() const { return packed_; }
  std::size_t memory_bytes() const { return sizeof *this + packed_.capacity(); }

  mutable StoredDigest stored{};  // of its row in RocksDB; the commit thread's alone

 private:
  static ItemRow take(const char*& at);
  static std::optional<ItemNumber> take_item_with(const char*& at, std::uint64_t types,
                                                  UnixMillis since);

  std::string packed_;  // per row its length, then its numbers as varints
  std::uint8_t size_ = 0;
};

}  // namespace millrace::state
