#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "state/item_index.h"

namespace millrace::processors {

// An item's place in a list: higher score first, then higher tiebreak, then the natural order of
// ids (state::natural_less).
struct RankedEntry {
  double score = 0;
  double tie = 0;
  std::uint32_t natural = 0;  // CatalogItem::natural where it is below 2^32 - 1, else that
  state::ItemIndex item = state::kNoItem;
  friend bool operator==(const RankedEntry&, const RankedEntry&) = default;
};

// The order of entries. Only entries equal in all numbers are told apart by their ids' text.
class RankedOrder {
 public:
  explicit RankedOrder(const state::NameTable& items) : items_(&items) {}
  bool operator()(const RankedEntry& a, const RankedEntry& b) const {
    if (a.score != b.score) return a.score > b.score;
    if (a.tie != b.tie) return a.tie > b.tie;
    if (a.natural != b.natural) return a.natural < b.natural;
    return a.item != b.item && less_by_id(a.item, b.item);
  }

 private:
  bool less_by_id(state::ItemIndex a, state::ItemIndex b) const;
  const state::NameTable* items_;
};

// Items in order, complete, immutable: changing makes a new list that shares every chunk which the
// change does not touch. Cheap to copy.
class RankedList {
 public:
  static constexpr std::size_t kMaxChunk = 128;
  using Chunk = std::vector<RankedEntry>;
  struct Body {
    std::vector<std::shared_ptr<const Chunk>> chunks;  // none empty
    std::size_t size = 0;
  };

  RankedList() = default;
  // `entries` in any order, each item once.
  static RankedList of(std::vector<RankedEntry> entries, const RankedOrder& order);
  static RankedList of_sorted(std::vector<RankedEntry> entries);
  // Without `removals` (entries exactly as they are in the list) and with `insertions` (items that
  // are not in it otherwise). Both in any order.
  RankedList with(std::span<const RankedEntry> removals, std::span<const RankedEntry> insertions,
                  const RankedOrder& order) const;

  std::size_t size() const { return body_ ? body_->size : 0; }
  bool empty() const { return size() == 0; }
  std::size_t memory_bytes() const;

  // From the top, until `visit` answers false.
  template <class F>
  void for_each(F&& visit) const {
    if (!body_) return;
    for (const auto& chunk : body_->chunks) {
      for (const RankedEntry& entry : *chunk) {
        if (!visit(entry)) return;
      }
    }
  }
  std::vector<state::ItemIndex> top(std::size_t n) const;

  // A place in a list that moves from the top down. Valid as long as a copy of the list is held.
  class Cursor {
   public:
    Cursor() = default;
    explicit Cursor(const RankedList& list) : body_(list.body_.get()) {}
    bool done() const { return body_ == nullptr || chunk_ >= body_->chunks.size(); }
    const RankedEntry& operator*() const { return (*body_->chunks[chunk_])[at_]; }
    void next() {
      if (++at_ < body_->chunks[chunk_]->size()) return;
      at_ = 0;
      ++chunk_;
    }

   private:
    const Body* body_ = nullptr;
    std::size_t chunk_ = 0;
    std::size_t at_ = 0;
  };

 private:
  std::shared_ptr<const Body> body_;
};

}  // namespace millrace::processors
