#include "state/pages.h"

#include <algorithm>
#include <limits>

namespace millrace::state {
namespace {

auto place_of(std::vector<RowPageRef>& pages, ItemNumber item) {
  // The last page whose first_item is not above `item`; the first page starts at 0.
  return std::prev(std::upper_bound(
      pages.begin(), pages.end(), item,
      [](ItemNumber number, const RowPageRef& ref) { return number < ref.first_item; }));
}

bool below(const ItemRow& row, ItemNumber item) { return row.item < item; }

// The page of `ref` as this person's own: readers may hold the shared one.
RowPage& own(RowPageRef& ref) {
  if (ref.page.use_count() > 1) {
    auto clone = std::make_shared<RowPage>();
    clone->rows.reserve(std::min(ref.page->rows.size() + 2, kMaxRowsPerPage));
    clone->rows.assign(ref.page->rows.begin(), ref.page->rows.end());
    ref.page = std::move(clone);
  }
  return const_cast<RowPage&>(*ref.page);  // made non-const, and held by nobody else
}

std::uint32_t clamped(std::int64_t value) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max()));
}

void change(std::uint32_t& number, bool counts, int sign) {
  if (counts) number = clamped(std::int64_t{number} + sign);
}

void contribute_trend(TrendAccumulator<Wide>& sum, const TrendAccumulator<std::int64_t>& share,
                      int sign) {
  if (share.newer == 0 && share.older == 0) return;
  if (share.newer != 0)
    sum.advance_to(share.epoch);
  else
    sum.advance_to(share.epoch - 1);
  for (const std::int32_t epoch : {sum.epoch, sum.epoch - 1}) {
    const Wide part = Wide{share.at(epoch)} * sign;
    (epoch == sum.epoch ? sum.newer : sum.older) += part;
  }
}

}  // namespace

void add_count(TypeCounts& counts, std::uint32_t type, std::int64_t by) {
  const auto it =
      std::lower_bound(counts.begin(), counts.end(), type,
                       [](const TypeCount& count, std::uint32_t t) { return count.type < t; });
  const bool known = it != counts.end() && it->type == type;
  const std::uint32_t count = clamped((known ? std::int64_t{it->count} : 0) + by);
  if (known && count != 0) {
    it->count = count;
  } else if (known) {
    counts.erase(it);
  } else if (count != 0) {
    counts.insert(it, TypeCount{type, count});
  }
}

std::uint32_t count_of(const TypeCounts& counts, std::uint32_t type) {
  for (const TypeCount& count : counts) {
    if (count.type == type) return count.count;
  }
  return 0;
}

const ItemRow* Person::find(ItemNumber item) const {
  if (pages.empty()) return nullptr;
  const auto ref = std::prev(std::upper_bound(
      pages.begin(), pages.end(), item,
      [](ItemNumber number, const RowPageRef& page) { return number < page.first_item; }));
  const auto& rows = ref->page->rows;
  const auto it = std::lower_bound(rows.begin(), rows.end(), item, below);
  return it != rows.end() && it->item == item ? &*it : nullptr;
}

ItemRow& Person::row(ItemNumber item) {
  if (pages.empty()) pages.push_back({0, next_page++, std::make_shared<RowPage>()});
  auto ref = place_of(pages, item);
  RowPage* page = &own(*ref);
  auto it = std::lower_bound(page->rows.begin(), page->rows.end(), item, below);
  if (it != page->rows.end() && it->item == item) return *it;
  if (page->rows.size() >= kMaxRowsPerPage) {
    // Items are numbered as they appear, so most inserts come after the last row: there the old
    // page stays full; elsewhere it is halved.
    const bool at_end = it == page->rows.end() && std::next(ref) == pages.end();
    const auto cut = at_end ? page->rows.end()
                            : page->rows.begin() + static_cast<std::ptrdiff_t>(kMaxRowsPerPage / 2);
    const ItemNumber first = at_end ? item : cut->item;
    auto upper = std::make_shared<RowPage>();
    upper->rows.assign(std::make_move_iterator(cut), std::make_move_iterator(page->rows.end()));
    page->rows.erase(cut, page->rows.end());
    ref = pages.insert(std::next(ref), {first, next_page++, std::move(upper)});
    if (item < first) --ref;
    page = &own(*ref);
    it = std::lower_bound(page->rows.begin(), page->rows.end(), item, below);
  }
  ItemRow fresh;
  fresh.item = item;
  return *page->rows.insert(it, std::move(fresh));
}

std::size_t Person::memory_bytes() const {
  std::size_t bytes = sizeof(Person) + sequence.capacity() * sizeof(ItemNumber) +
                      pages.capacity() * sizeof(RowPageRef) + history_tail.capacity();
  // Asked at every publish: pages that are not at hand are not touched for it.
  const std::size_t rows =
      pages.size() == 1 ? pages.front().page->rows.capacity() : pages.size() * kMaxRowsPerPage;
  bytes += pages.size() * (sizeof(RowPage) + 48) + rows * sizeof(ItemRow);
  for (const SealedHistory& sealed : unwritten) {
    bytes += sizeof(SealedHistory) + 64 + sealed.bytes->capacity();
  }
  return bytes;
}

void contribute(ItemStats& stats, const ItemRow& row, int sign) {
  for (const TypeCount& count : row.counts) {
    add_count(stats.counts, count.type, std::int64_t{count.count} * sign);
  }
  change(stats.likers, row.has(kLiked), sign);
  change(stats.dislikers, row.has(kDisliked), sign);
  change(stats.savers, row.has(kSaved), sign);
  change(stats.watchers, row.has(kWatched), sign);
  change(stats.raters, row.has(kRated), sign);
  if (row.has(kRated)) stats.rating_sum_centi += std::int64_t{row.rating_centi} * sign;
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    contribute_trend(stats.trend[h], row.trend[h], sign);
  }
}

}  // namespace millrace::state
