#include "processors/views/ranked_lists.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::processors {
namespace {

std::uint64_t scope_key(std::uint32_t kind, std::uint32_t category) {
  return std::uint64_t{kind} << 32 | category;
}

std::uint32_t short_natural(std::uint64_t natural) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(natural, UINT32_MAX));
}

constexpr std::uint32_t bit(std::size_t metric) { return 1u << metric; }

bool same_scopes(const state::CatalogItem& a, const state::CatalogItem& b) {
  return &a == &b || (a.kind == b.kind && a.categories == b.categories);
}

}  // namespace

std::optional<RankedEntry> ranked_entry(Metric metric, const state::CatalogItem& item,
                                        const state::ItemCounts& counts) {
  const auto entry = [&item](double score, double tie) {
    return RankedEntry{score, tie, short_natural(item.natural), item.index};
  };
  switch (metric) {
    case Metric::kPopular: return entry(counts.popularity(), counts.engagement());
    case Metric::kTopRated:
      if (counts.average_rating() < kTopRatedMinimum) return std::nullopt;
      return entry(counts.average_rating(), static_cast<double>(counts.raters));
    case Metric::kMostWatched:
      return entry(static_cast<double>(counts.watchers), counts.average_rating());
    case Metric::kTrending: {
      const double trend = counts.trend[0].rank_key();
      return std::isfinite(trend) ? std::optional(entry(trend, 0)) : std::nullopt;
    }
    case Metric::kRecent: return entry(static_cast<double>(item.appeared), 0);
  }
  return std::nullopt;
}

const RankedList& RankedLists::list(Metric metric, std::uint32_t kind,
                                    std::uint32_t category) const {
  static const RankedList none;
  const auto found = numbers_->find(scope_key(kind, category));
  if (found == numbers_->end()) return none;
  const Page& page = *pages_[found->second / kScopesPerPage];
  return page[found->second % kScopesPerPage][static_cast<std::size_t>(metric)];
}

std::size_t RankedLists::memory_bytes() const {
  std::size_t bytes = numbers_->size() * 32;
  for (const auto& page : pages_) {
    bytes += sizeof(Page);
    for (const Scope& scope : *page) {
      for (const RankedList& list : scope) bytes += list.memory_bytes();
    }
  }
  return bytes;
}

RankedListsBuilder::RankedListsBuilder(const state::NameTable& items)
    : order_(items), current_(std::make_shared<const RankedLists>()) {}

RankedListsBuilder::Placed RankedListsBuilder::place(state::ItemIndex item,
                                                     const state::CatalogView& catalog,
                                                     const CountsOf& counts) const {
  Placed out;
  if (!catalog.listed(item)) return out;
  out.features = catalog.share(item);
  const state::ItemCounts c = counts(item);
  for (std::size_t m = 0; m < kMetrics; ++m) {
    const auto entry = ranked_entry(static_cast<Metric>(m), *out.features, c);
    if (!entry) continue;
    out.keys[m] = {entry->score, entry->tie};
    out.in |= bit(m);
  }
  return out;
}

std::uint32_t RankedListsBuilder::scope(std::uint32_t kind, std::uint32_t category) {
  const std::uint64_t key = scope_key(kind, category);
  const auto [place, is_new] = numbers_.emplace(key, static_cast<std::uint32_t>(numbers_.size()));
  new_scopes_ = new_scopes_ || is_new;
  return place->second;
}

std::vector<std::uint32_t> RankedListsBuilder::scopes_of(const state::CatalogItem& item) {
  std::vector<std::uint32_t> out;
  out.reserve(2 + 2 * item.categories.size());
  out.push_back(scope(state::kAnyName, state::kAnyName));
  out.push_back(scope(item.kind, state::kAnyName));
  for (const std::uint32_t category : item.categories) {
    out.push_back(scope(state::kAnyName, category));
    out.push_back(scope(item.kind, category));
  }
  return out;
}

void RankedListsBuilder::add_edits_of(const Placed& placed, std::uint32_t metrics, bool insert) {
  if (metrics == 0) return;
  const std::uint32_t natural = short_natural(placed.features->natural);
  for (const std::uint32_t in : scopes_of(*placed.features)) {
    for (std::size_t m = 0; m < kMetrics; ++m) {
      if ((metrics & bit(m)) == 0) continue;
      const Key& key = placed.keys[m];
      edits_.push_back({in * static_cast<std::uint32_t>(kMetrics) + static_cast<std::uint32_t>(m),
                        insert,
                        {key.score, key.tie, natural, placed.features->index}});
    }
  }
}

void RankedListsBuilder::add_edits(const Placed& before, const Placed& after) {
  std::uint32_t leave = before.in;
  std::uint32_t enter = after.in;
  if (before.features && after.features && same_scopes(*before.features, *after.features)) {
    for (std::size_t m = 0; m < kMetrics; ++m) {
      const bool stays = (before.in & after.in & bit(m)) != 0 && before.keys[m] == after.keys[m];
      if (stays) leave &= ~bit(m), enter &= ~bit(m);
    }
  }
  add_edits_of(before, leave, false);
  add_edits_of(after, enter, true);
}

RankedLists::Page& RankedListsBuilder::page_to_change(std::uint32_t scope_number) {
  const std::size_t p = scope_number / RankedLists::kScopesPerPage;
  if (p >= pages_.size()) {
    pages_.resize(p + 1);
    shared_.resize(p + 1, false);
  }
  if (!pages_[p]) {
    pages_[p] = std::make_shared<RankedLists::Page>();
  } else if (shared_[p]) {
    pages_[p] = std::make_shared<RankedLists::Page>(*pages_[p]);
  }
  shared_[p] = false;
  return *pages_[p];
}

void RankedListsBuilder::carry_out_edits() {
  std::stable_sort(edits_.begin(), edits_.end(),
                   [](const Edit& a, const Edit& b) { return a.list < b.list; });
  std::vector<RankedEntry> removals;
  std::vector<RankedEntry> insertions;
  for (std::size_t i = 0; i < edits_.size();) {
    const std::uint32_t number = edits_[i].list;
    removals.clear();
    insertions.clear();
    for (; i < edits_.size() && edits_[i].list == number; ++i) {
      (edits_[i].insert ? insertions : removals).push_back(edits_[i].entry);
    }
    const std::uint32_t in = number / kMetrics;
    RankedList& list = page_to_change(in)[in % RankedLists::kScopesPerPage][number % kMetrics];
    list = list.with(removals, insertions, order_);
  }
  edits_.clear();
}

void RankedListsBuilder::update(std::span<const state::ItemIndex> touched,
                                const state::CatalogView& catalog, const CountsOf& counts) {
  // Beyond this it costs less to sort everything once.
  if (touched.size() > placed_.size() / 10 && touched.size() > 100) return rebuild(catalog, counts);
  std::vector<state::ItemIndex> items(touched.begin(), touched.end());
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  if (!items.empty() && items.back() >= placed_.size()) placed_.resize(items.back() + 1);
  for (const state::ItemIndex item : items) {
    Placed after = place(item, catalog, counts);
    add_edits(placed_[item], after);
    placed_[item] = std::move(after);
  }
  if (edits_.empty()) return;
  carry_out_edits();
  swap_in();
}

void RankedListsBuilder::rebuild(const state::CatalogView& catalog, const CountsOf& counts) {
  placed_.clear();
  pages_.clear();
  shared_.clear();
  numbers_.clear();
  new_scopes_ = true;
  std::vector<std::vector<std::uint32_t>> scopes;  // by ItemIndex
  catalog.for_each(0, [&](const state::CatalogItem& item) {
    if (item.index >= placed_.size()) placed_.resize(item.index + 1), scopes.resize(item.index + 1);
    placed_[item.index] = place(item.index, catalog, counts);
    if (placed_[item.index].in != 0) scopes[item.index] = scopes_of(item);
    return true;
  });
  std::vector<RankedEntry> all;
  for (std::size_t m = 0; m < kMetrics; ++m) {
    all.clear();
    for (const Placed& placed : placed_) {
      if ((placed.in & bit(m)) == 0) continue;
      all.push_back({placed.keys[m].score, placed.keys[m].tie,
                     short_natural(placed.features->natural), placed.features->index});
    }
    std::sort(all.begin(), all.end(), order_);
    std::vector<std::vector<RankedEntry>> by_scope(numbers_.size());
    for (const RankedEntry& entry : all) {
      for (const std::uint32_t in : scopes[entry.item]) by_scope[in].push_back(entry);
    }
    for (std::uint32_t in = 0; in < by_scope.size(); ++in) {
      page_to_change(in)[in % RankedLists::kScopesPerPage][m] =
          RankedList::of_sorted(std::move(by_scope[in]));
    }
  }
  swap_in();
}

void RankedListsBuilder::swap_in() {
  auto lists = std::make_shared<RankedLists>();
  lists->numbers_ = new_scopes_ ? std::make_shared<const RankedLists::ScopeNumbers>(numbers_)
                                : current_->numbers_;
  new_scopes_ = false;
  lists->pages_.assign(pages_.begin(), pages_.end());
  std::fill(shared_.begin(), shared_.end(), true);
  std::shared_ptr<const RankedLists> next = std::move(lists);
  const std::lock_guard lock(mutex_);
  current_.swap(next);
}

std::shared_ptr<const RankedLists> RankedListsBuilder::snapshot() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::size_t RankedListsBuilder::memory_bytes() const { return placed_.capacity() * sizeof(Placed); }

}  // namespace millrace::processors
