#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/item.h"
#include "state/item_index.h"

namespace millrace::state {

// An item with what rankers want to have at hand. Immutable.
struct CatalogItem {
  Item item;
  ItemIndex index = kNoItem;
  std::uint32_t kind = 0;                 // interned, NameTable kinds
  std::vector<std::uint32_t> categories;  // interned, NameTable categories; in the item's order
  std::vector<std::uint32_t> tags;        // interned, NameTable tags; in the item's order
  std::string folded_title;               // for search: case- and accent-folded
  std::uint64_t natural = 0;  // the id's number for `kind:number`, else 2^64 - 1: ties by id
  UnixMillis appeared = 0;    // published, else created, else log time of the first put
  Offset changed = 0;         // catalog offset of the last put
};

// True when a comes before b where nothing else decides: numbers before other ids, then by text.
bool natural_less(const CatalogItem& a, const CatalogItem& b);

// The catalog at one offset: immutable, cheap to hold, replaced as a whole. Chunks are shared with
// the views before and after it.
class CatalogView {
 public:
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::array<std::shared_ptr<const CatalogItem>, kChunk>;

  const CatalogItem* find(ItemIndex index) const;  // nullptr: unknown or deleted
  Offset offset() const { return next_offset_; }   // records below it are in
  std::size_t items() const { return items_; }
  // Catalog offset of the last change of features (kind, categories, tags, deletion) of an item
  // that events or an earlier put had named: profiles joined at or after it are up to date.
  Offset features_changed() const { return features_changed_; }

  // In order of index, until `visit` answers false, from index `from` on.
  template <class F>
  void for_each(ItemIndex from, F&& visit) const {
    for (std::size_t c = from / kChunk; c < chunks_.size(); ++c) {
      if (!chunks_[c]) continue;
      for (const auto& item : *chunks_[c]) {
        if (item && item->index >= from && !visit(*item)) return;
      }
    }
  }

 private:
  friend class CatalogStore;
  std::vector<std::shared_ptr<const Chunk>> chunks_;
  Offset next_offset_ = 0;
  Offset features_changed_ = 0;
  std::size_t items_ = 0;
};

}  // namespace millrace::state
