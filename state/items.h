#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/chunked_vector.h"
#include "base/result.h"
#include "state/item_cells.h"
#include "state/item_index.h"
#include "state/pages.h"
#include "state/rocks.h"

namespace millrace::state {

inline constexpr ItemNumber kNamesPerPage = 64;

// The items' part of a commit.
struct FrozenItems {
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const ItemChunk>>> chunks;
  ItemNumber first_new = 0;  // the dictionary grew from this …
  ItemNumber count = 0;      // … to this
};

// A partition's items: dictionary, statistics, cells. The writer's, but for index_of() and cells().
class Items {
 public:
  explicit Items(NameTable& names) : names_(names) {}

  // On opening: what a dictionary page and a chunk hold, in their order.
  void restore_name(std::string_view item);
  Status restore_chunk(std::uint32_t number, std::shared_ptr<ItemChunk> chunk);

  ItemNumber number_of(std::string_view item);
  // Its number if it has one, and its statistics are fetched from memory: change() follows soon.
  std::optional<ItemNumber> expect(std::string_view item) const;
  ItemStats& change(ItemNumber item);
  std::vector<ItemIndex> publish();
  bool dirty() const { return !dirty_chunks_.empty() || frozen_count_ != size(); }
  std::size_t dirty_bytes() const;
  FrozenItems freeze();

  ItemNumber size() const { return static_cast<ItemNumber>(indexes_.size()); }
  ItemIndex index_of(ItemNumber item) const;         // any thread; kNoItem for an unknown one
  const ItemCells& cells() const { return cells_; }  // any thread
  std::string_view name(ItemNumber item) const;      // any thread
  std::size_t memory_bytes() const;

 private:
  ItemNumber enter(ItemIndex index);

  NameTable& names_;
  ChunkedVector<ItemIndex> indexes_;  // by number
  std::vector<ItemNumber> numbers_;   // by index; kNoItem: not in this partition's dictionary
  std::vector<std::shared_ptr<ItemChunk>> chunks_;
  std::vector<char> dirty_;    // by chunk: changed since the last freeze, and so ours alone
  std::vector<char> touched_;  // by number: changed since the last publish
  std::vector<std::uint32_t> dirty_chunks_;
  std::vector<ItemNumber> touched_items_;
  ItemNumber frozen_count_ = 0;
  ItemCells cells_;
  std::atomic<std::size_t> chunk_bytes_{0};
};

}  // namespace millrace::state
