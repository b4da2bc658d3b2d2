#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/account.h"
#include "schemas/item.h"
#include "state/cow_map.h"
#include "state/experiments.h"
#include "state/item_index.h"
#include "state/ranking_rules.h"

namespace millrace::state {

// What a product says of its stock; what is left of it, ReadState knows.
struct Stock {
  std::uint64_t quantity = 0;     // as it was set
  std::uint64_t sold_before = 0;  // units sold when it was
};

// An item with what rankers want to have at hand. Immutable.
struct CatalogItem {
  Item item;
  ItemIndex index = kNoItem;
  std::uint32_t kind = 0;  // interned, NameTable kinds
  // Interned, NameTable categories: its parent's where that has any, else its own in its order.
  std::vector<std::uint32_t> categories;
  std::vector<std::uint32_t> tags;  // interned, NameTable tags; in the item's order
  std::string folded_title;         // for search: case- and accent-folded
  std::uint64_t natural = 0;        // the id's number for `kind:number`, else 2^64 - 1: ties by id
  UnixMillis appeared = 0;          // published, else created, else log time of the first put
  UnixMillis first_put = 0;         // log time of the first put since the item was last deleted
  Offset changed = 0;               // catalog offset of the last put
  ItemIndex parent = kNoItem;       // kNoItem: it has none
  AccountId owner;                  // of a store; 0: nobody
  std::optional<Stock> stock;       // of a product; nothing: it does not run out
};

// The number behind the first colon of an id, when it is one below 2^64 - 1 without leading zeros;
// else 2^64 - 1.
std::uint64_t natural_of(std::string_view id);
// True when a comes before b where nothing else decides: numbers before other ids, then by text.
bool natural_less(const CatalogItem& a, const CatalogItem& b);

// What is asked of an item without naming a kind (or category): matches everything.
inline constexpr std::uint32_t kAnyName = UINT32_MAX;

// The catalog at one offset: immutable, cheap to hold, replaced as a whole. Chunks are shared with
// the views before and after it.
class CatalogView {
 public:
  static constexpr std::size_t kChunk = 256;
  // The items of kChunk indexes, with the columns that are asked for most.
  struct Chunk {
    Chunk() { kinds.fill(kAnyName); }
    std::array<std::shared_ptr<const CatalogItem>, kChunk> items;
    std::array<std::uint32_t, kChunk> kinds;  // kAnyName where there is no item
    std::array<bool, kChunk> listed{};        // there, and not hidden
    std::array<bool, kChunk> stocked{};       // there, and with a stock
  };

  // nullptr: unknown or deleted.
  const CatalogItem* find(ItemIndex index) const {
    const Chunk* chunk = chunk_of(index);
    return chunk == nullptr ? nullptr : chunk->items[index % kChunk].get();
  }
  std::shared_ptr<const CatalogItem> share(ItemIndex index) const {
    const Chunk* chunk = chunk_of(index);
    return chunk == nullptr ? nullptr : chunk->items[index % kChunk];
  }
  // kAnyName: unknown or deleted.
  std::uint32_t kind_of(ItemIndex index) const {
    const Chunk* chunk = chunk_of(index);
    return chunk == nullptr ? kAnyName : chunk->kinds[index % kChunk];
  }
  bool listed(ItemIndex index) const {  // known, not deleted, not hidden
    const Chunk* chunk = chunk_of(index);
    return chunk != nullptr && chunk->listed[index % kChunk];
  }

  bool stocked(ItemIndex index) const {  // it has a stock, and may run out
    const Chunk* chunk = chunk_of(index);
    return chunk != nullptr && chunk->stocked[index % kChunk];
  }
  // Those that have it as their parent, in no particular order.
  const std::vector<ItemIndex>& children(ItemIndex parent) const {
    return held(families_->children, parent);
  }
  const std::vector<ItemIndex>& stores_of(AccountId owner) const {
    return held(families_->stores, owner.value);
  }

  // Those that carry a tag (NameTable tags), in no particular order.
  const std::vector<ItemIndex>& tagged(std::uint32_t tag) const {
    return held(families_->tagged, tag);
  }

  const ExperimentsView& experiments() const { return *experiments_; }
  const RankingRulesView& ranking_rules() const { return *ranking_rules_; }

  Offset offset() const { return next_offset_; }  // records below it are in
  std::size_t items() const { return items_; }
  // Profiles joined with a view of offset() at or above these are up to date: with
  // features_changed() when they found all their items, else with added(), too.
  // The offset() from which on the last change of features (kind, categories, tags, deletion) of an
  // item that had been put before is in.
  Offset features_changed() const { return features_changed_; }
  // The same for the last put of an item that was not there.
  Offset added() const { return added_; }
  // The same for the last put or deletion of any item; 0 for what was stored before a start.
  Offset items_changed() const { return items_changed_; }

  // In order of index, until `visit` answers false, from index `from` on.
  template <class F>
  void for_each(ItemIndex from, F&& visit) const {
    for (std::size_t c = from / kChunk; c < chunks_.size(); ++c) {
      if (!chunks_[c]) continue;
      for (const auto& item : chunks_[c]->items) {
        if (item && item->index >= from && !visit(*item)) return;
      }
    }
  }

 private:
  friend class CatalogViewBuilder;
  const Chunk* chunk_of(ItemIndex index) const {
    const std::size_t c = index / kChunk;
    return c < chunks_.size() ? chunks_[c].get() : nullptr;
  }

  using Index = CowMap<std::uint64_t, std::vector<ItemIndex>>;
  struct Families {
    Index children;  // by parent
    Index stores;    // by owner
    Index tagged;    // by tag
  };
  static const std::vector<ItemIndex>& held(const Index& index, std::uint64_t key);

  std::vector<std::shared_ptr<const Chunk>> chunks_;
  std::shared_ptr<const Families> families_ = std::make_shared<const Families>();
  std::shared_ptr<const ExperimentsView> experiments_ = std::make_shared<const ExperimentsView>();
  std::shared_ptr<const RankingRulesView> ranking_rules_ =
      std::make_shared<const RankingRulesView>();
  Offset next_offset_ = 0;
  Offset features_changed_ = 0;
  Offset added_ = 0;
  Offset items_changed_ = 0;
  std::size_t items_ = 0;
};

// Makes one view after another; only chunks touched since the last view are cloned. One thread.
class CatalogViewBuilder {
 public:
  CatalogViewBuilder(NameTable& items, CatalogNames& names) : items_(&items), names_(&names) {}

  // `log_time`, `offset`: of the record that says so. Answers with the item's index.
  ItemIndex put(const Item& item, UnixMillis log_time, Offset offset);
  // Answers false when there is no such item. Its children stay, without a parent: erase them next.
  bool erase(ItemIndex index, Offset offset);
  const CatalogItem* find(ItemIndex index) const;
  const std::vector<ItemIndex>& children(ItemIndex parent) const {
    return CatalogView::held(families_.children, parent);
  }
  const std::vector<ItemIndex>& stores_of(AccountId owner) const {
    return CatalogView::held(families_.stores, owner.value);
  }
  // Those below the item put last whose categories changed with it.
  const std::vector<ItemIndex>& inherited() const { return inherited_; }
  // The items of a kind that have a category.
  std::vector<std::shared_ptr<const CatalogItem>> having(std::string_view kind,
                                                         std::string_view category) const;
  // A view of everything so far, with that offset(), those experiments and rules.
  std::shared_ptr<const CatalogView> build(
      Offset next_offset,
      std::shared_ptr<const ExperimentsView> experiments =
          std::make_shared<const ExperimentsView>(),
      std::shared_ptr<const RankingRulesView> rules = std::make_shared<const RankingRulesView>());

  // On opening a stored catalog.
  void restore(const Item& item, UnixMillis first_put, Offset changed);
  void restore_offsets(Offset features_changed, Offset added);
  Offset features_changed() const { return features_changed_; }
  Offset added() const { return added_; }
  std::size_t memory_bytes() const { return memory_bytes_; }  // about

 private:
  CatalogView::Chunk& chunk_for(ItemIndex index);
  void place(std::shared_ptr<const CatalogItem> item);
  std::vector<std::uint32_t> categories_of(const CatalogItem& item) const;
  void hand_down(ItemIndex parent);
  void link(const CatalogItem& item);
  void unlink(const CatalogItem& item);

  NameTable* items_;
  CatalogNames* names_;
  std::vector<std::shared_ptr<CatalogView::Chunk>> chunks_;
  std::vector<bool> shared_;  // a view holds the chunk: clone it before changing it
  std::vector<ItemIndex> inherited_;
  CatalogView::Families families_;
  std::shared_ptr<const CatalogView::Families> shared_families_;  // null: they changed since
  Offset features_changed_ = 0;
  Offset added_ = 0;
  Offset items_changed_ = 0;
  std::size_t count_ = 0;
  std::size_t memory_bytes_ = 0;
};

}  // namespace millrace::state
