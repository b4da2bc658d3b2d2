#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "processors/views/ranked_list.h"
#include "state/catalog_view.h"
#include "state/item_cells.h"

namespace millrace::processors {

// What a list is ordered by, and what decides among equals before the natural order of ids.
enum class Metric : std::uint8_t {
  kPopular,      // ItemCounts::popularity; engagement
  kTopRated,     // average rating, items with 3.0 or more only; number of ratings
  kMostWatched,  // watchers; average rating
  kTrending,     // TrendReading::rank_key of the short half-life, items with something left only
  kRecent,       // CatalogItem::appeared, newest first
};
inline constexpr std::size_t kMetrics = 5;
inline constexpr double kTopRatedMinimum = 3.0;  // stars

// The entry of a listed item in the lists of a metric; nothing: it is in none of them.
std::optional<RankedEntry> ranked_entry(Metric metric, const state::CatalogItem& item,
                                        const state::ItemCounts& counts);

using CountsOf = std::function<state::ItemCounts(state::ItemIndex)>;

// The lists at one instant: per metric of all items, of each kind, of each category, and of each
// category within a kind. Hidden and deleted items are in none. Immutable.
class RankedLists {
 public:
  // An empty list for what does not occur.
  const RankedList& list(Metric metric, std::uint32_t kind = state::kAnyName,
                         std::uint32_t category = state::kAnyName) const;
  std::size_t memory_bytes() const;  // about

 private:
  friend class RankedListsBuilder;
  using Scope = std::array<RankedList, kMetrics>;
  static constexpr std::size_t kScopesPerPage = 16;
  using Page = std::array<Scope, kScopesPerPage>;
  using ScopeNumbers = std::unordered_map<std::uint64_t, std::uint32_t>;  // by kind and category

  std::shared_ptr<const ScopeNumbers> numbers_ = std::make_shared<const ScopeNumbers>();
  std::vector<std::shared_ptr<const Page>> pages_;
};

// Keeps the lists up to date. One thread calls rebuild() and update(); any thread takes snapshot().
// An item's place moves only when update() names it: ranks of trends need no refreshing.
class RankedListsBuilder {
 public:
  // `items` outlives the builder and every snapshot.
  explicit RankedListsBuilder(const state::NameTable& items);

  // Every list anew, sorted once per metric.
  void rebuild(const state::CatalogView& catalog, const CountsOf& counts);
  // Exactly these items' entries, from the catalog and counts as they are now. Then swaps.
  void update(std::span<const state::ItemIndex> touched, const state::CatalogView& catalog,
              const CountsOf& counts);

  std::shared_ptr<const RankedLists> snapshot() const;
  std::size_t memory_bytes() const;  // of the builder alone

 private:
  struct Key {
    double score = 0;
    double tie = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  // What the lists hold of an item; features null: nothing.
  struct Placed {
    std::shared_ptr<const state::CatalogItem> features;
    std::array<Key, kMetrics> keys{};
    std::uint32_t in = 0;  // bit per metric
  };
  struct Edit {
    std::uint32_t list = 0;  // scope * kMetrics + metric
    bool insert = false;
    RankedEntry entry;
  };

  Placed place(state::ItemIndex item, const state::CatalogView& catalog,
               const CountsOf& counts) const;
  void add_edits(const Placed& before, const Placed& after);
  void add_edits_of(const Placed& placed, std::uint32_t metrics, bool insert);
  std::uint32_t scope(std::uint32_t kind, std::uint32_t category);
  std::vector<std::uint32_t> scopes_of(const state::CatalogItem& item);
  void carry_out_edits();
  RankedLists::Page& page_to_change(std::uint32_t scope);
  void swap_in();

  RankedOrder order_;
  std::vector<Placed> placed_;  // by ItemIndex
  std::vector<Edit> edits_;
  RankedLists::ScopeNumbers numbers_;
  bool new_scopes_ = false;  // since the last swap
  std::vector<std::shared_ptr<RankedLists::Page>> pages_;
  std::vector<bool> shared_;  // a snapshot holds the page: clone it before changing it

  mutable std::mutex mutex_;  // over current_, which one thread changes
  std::shared_ptr<const RankedLists> current_;
};

}  // namespace millrace::processors
