#pragma once
#include <array>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "schemas/ids.h"
#include "state/digest.h"
#include "state/row_page.h"
#include "state/trend.h"
#include "state/trials.h"

namespace millrace::state {

// Facts as values: what a partition's log says, and nothing else. Integers only. One writer changes
// them; what is published is immutable.

// A row page of a person, with its place. Pages partition the items by ranges: a page holds items
// from first_item (0 for the first page) up to the next page's first_item.
struct RowPageRef {
  ItemNumber first_item = 0;
  std::uint32_t number = 0;  // part of its key; never reused for this person
  std::shared_ptr<const RowPage> page;
};

// History lies in sealed pages and a tail, oldest first: delimited HistoryEntry messages
// (schemas/proto/state.proto).
inline constexpr std::size_t kHistoryPageBytes =
    1024;  // the tail is sealed when it grows past this
struct SealedHistory {
  std::uint32_t number = 0;
  UnixMillis newest_log_time = 0;
  std::shared_ptr<const std::string> bytes;
};

struct PendingRows;

// An answer that recommended something to a person, and what came of it.
inline constexpr std::size_t kServedKept = 8;
struct Served {
  std::uint64_t recommendation = 0;  // hash of its id
  std::int32_t hour = 0;             // of log time, since 1970
  std::string algorithm;
  bool clicked = false;
  bool acted = false;
  // Of an experiment's answer:
  std::uint64_t experiment = 0;        // experiment_key of its id; 0: it is of none
  bool credited = false;               // a click on it has counted
  std::vector<std::uint32_t> shown{};  // its first items, each as shown_item() has it
  friend bool operator==(const Served&, const Served&) = default;
};

// Items of an experiment's answer that are remembered: what is clicked without naming an answer is
// looked for among them, and so is the variant that put it there.
inline constexpr std::size_t kShownKept = 20;
inline constexpr std::uint32_t kShownCredited = 1;
inline constexpr std::uint32_t kShownSecond = 2;  // the second variant put it there
// 30 bits of the hash of its id, and no flags.
std::uint32_t shown_item(std::string_view item);

// All of a person's facts but the sealed history and the tracked rows. A value: copying it clones
// it (row pages shared).
struct Person {
  TypeCounts counts;                 // by type, over all items
  std::uint64_t events = 0;          // applied so far
  std::uint32_t next_order = 1;      // next ItemRow::order
  std::vector<ItemNumber> sequence;  // the last `sequence_window` items in it, newest last
  // Ascending by first_item; a single page is kept in the head's row.
  boost::container::small_vector<RowPageRef, 1> pages;
  std::uint32_t next_page = 1;
  std::string history_tail;
  std::uint32_t history_first = 0;  // sealed pages [history_first, history_next) exist
  std::uint32_t history_next = 0;
  UnixMillis history_first_log_time = 0;  // newest log time in page history_first, if there is one
  std::vector<Served> served;             // the last kServedKept, oldest first
  std::vector<Trial> trials;              // the last kTrialsKept, in the order of the first answers
  std::vector<SealedHistory> unwritten;   // sealed, and not yet known to be in RocksDB
  // What was tracked (state/tracked.h) and is not yet known to be in RocksDB; null: nothing.
  std::shared_ptr<const PendingRows> tracked;
  Offset born = 0;  // no row in RocksDB of a lower offset is this life's; 0 once it is loaded
  mutable StoredDigest stored{};  // of the head's row in RocksDB; the commit thread's alone

  const RowPageRef& page_of(
      ItemNumber item) const;  // where its row is or belongs; some page exists
  std::optional<ItemRow> find(ItemNumber item) const;
  // The row of `item`, an empty one when there is none.
  ItemRow row(ItemNumber item) const;
  // Replaces or inserts. Clones a page that others hold too and splits one that is full.
  void put(const ItemRow& row);
  std::size_t memory_bytes() const;  // about

  template <class F>
  void for_each_item_with(std::uint64_t types, UnixMillis since, F&& f) const {  // of RowPage
    for (const auto& ref : pages) ref.page->for_each_item_with(types, since, f);
  }
  template <class F>
  void for_each_row(F&& f) const {
    for (const auto& ref : pages) ref.page->for_each(f);
  }
};

// What a partition knows of an item: sums over its people of what `contribute` says of their rows,
// but for `sold`.
struct ItemStats {
  TypeCounts counts;
  std::uint32_t likers = 0;  // people who like it now
  std::uint32_t dislikers = 0;
  std::uint32_t savers = 0;
  std::uint32_t watchers = 0;
  std::uint32_t raters = 0;
  std::uint32_t sold = 0;  // purchases ever: erasing a person does not bring back what was sold
  std::int64_t rating_sum_centi = 0;
  TrendSum trend{};

  friend bool operator==(const ItemStats&, const ItemStats&) = default;
};

// Adds (sign = 1) or takes away (sign = -1) what `row` stands for in its item's statistics: the f
// of "an event adds f(new) - f(old), erasure adds -f". Trend epochs that `stats` has forgotten are
// left out; adding a newer epoch advances it.
void contribute(ItemStats& stats, const ItemRow& row, int sign);

// Item statistics are stored in chunks, dense by item number.
inline constexpr std::size_t kItemsPerChunk = 16;
struct ItemChunk {
  std::array<ItemStats, kItemsPerChunk> items;
};

}  // namespace millrace::state
