#include "state/pages.h"

#include <algorithm>
#include <limits>

#include "state/pending_rows.h"

namespace millrace::state {

std::uint32_t shown_item(std::string_view item) {
  return static_cast<std::uint32_t>(experiment_key(item) << 2);
}

namespace {

// The last page whose first_item is not above `item`; the first page starts at 0.
template <class Pages>
auto place_of(Pages& pages, ItemNumber item) {
  return std::prev(std::upper_bound(
      pages.begin(), pages.end(), item,
      [](ItemNumber number, const RowPageRef& ref) { return number < ref.first_item; }));
}

// The page of `ref` as this person's own: readers may hold the shared one.
RowPage& own(RowPageRef& ref) {
  if (ref.page.use_count() > 1) {
    ref.page = std::make_shared<RowPage>(ref.page->roomy_copy());
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

const RowPageRef& Person::page_of(ItemNumber item) const { return *place_of(pages, item); }

std::optional<ItemRow> Person::find(ItemNumber item) const {
  if (pages.empty()) return std::nullopt;
  return page_of(item).page->find(item);
}

ItemRow Person::row(ItemNumber item) const {
  if (auto known = find(item)) return *std::move(known);
  ItemRow fresh;
  fresh.item = item;
  return fresh;
}

void Person::put(const ItemRow& row) {
  if (pages.empty()) pages.push_back(RowPageRef{0, next_page++, std::make_shared<RowPage>()});
  const auto ref = place_of(pages, row.item);
  if (ref->page->size() < kMaxRowsPerPage || ref->page->find(row.item)) {
    return own(*ref).put(row);
  }
  // Items are numbered as they appear, so most inserts come after the last row: there the old page
  // stays full; elsewhere it is halved.
  std::vector<ItemRow> lower = ref->page->rows();
  std::vector<ItemRow> upper;
  if (lower.back().item < row.item && std::next(ref) == pages.end()) {
    upper.push_back(row);
  } else {
    upper.assign(lower.begin() + kMaxRowsPerPage / 2, lower.end());
    lower.resize(kMaxRowsPerPage / 2);
  }
  const bool done = upper.size() == 1;
  const ItemNumber first = upper.front().item;
  if (!done) ref->page = std::make_shared<RowPage>(lower);
  pages.insert(std::next(ref), RowPageRef{first, next_page++, std::make_shared<RowPage>(upper)});
  if (!done) own(*place_of(pages, row.item)).put(row);
}

std::size_t Person::memory_bytes() const {
  std::size_t bytes = sizeof(Person) + sequence.capacity() * sizeof(ItemNumber) +
                      pages.capacity() * sizeof(RowPageRef) + history_tail.capacity() +
                      served.capacity() * sizeof(Served) + trials.capacity() * sizeof(Trial);
  for (const Served& one : served) bytes += one.shown.capacity() * sizeof(std::uint32_t);
  // Asked at every publish: pages that are not at hand are not touched for it.
  constexpr std::size_t kAboutPage = sizeof(RowPage) + 48 + kMaxRowsPerPage * 36;
  bytes += pages.size() == 1 ? 48 + pages.front().page->memory_bytes() : pages.size() * kAboutPage;
  for (const SealedHistory& sealed : unwritten) {
    bytes += sizeof(SealedHistory) + 64 + sealed.bytes->capacity();
  }
  return bytes + (tracked ? tracked->bytes : 0);
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
