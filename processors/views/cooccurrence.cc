#include "processors/views/cooccurrence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/prefetch.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kStrongestBytes = Cooccurrence::kStrongest * sizeof(Neighbour) + 96;

}  // namespace

// Linear probing; deletion shifts back. Capacity grows by half, so that the fill stays high; while
// it is small it doubles, because most rows grow through that.
struct Cooccurrence::Row {
  static constexpr std::uint32_t kFirstCapacity = 6;
  static constexpr std::uint32_t kSmall = 96;

  std::unique_ptr<Neighbour[]> slots;
  std::uint32_t capacity = 0;
  std::uint32_t used = 0;
  struct Strongest {
    std::shared_ptr<const std::vector<Neighbour>> neighbours;
    std::uint32_t people = 0;  // of the row's item, when they were chosen
  };
  mutable std::unique_ptr<const Strongest> strongest;  // null where none were chosen

  std::uint32_t home(state::ItemIndex item) const {
    const std::uint32_t mixed = item * 0x9e3779b1u;
    return static_cast<std::uint32_t>((std::uint64_t{mixed} * capacity) >> 32);
  }
  std::uint32_t after(std::uint32_t at) const { return at + 1 == capacity ? 0 : at + 1; }

  // Where `item` is, or the free slot where it belongs. Needs a free slot.
  std::uint32_t place(state::ItemIndex item) const {
    std::uint32_t at = home(item);
    while (slots[at].count != 0 && slots[at].item != item) at = after(at);
    return at;
  }
  std::vector<Neighbour> all() const;
  bool full() const { return (used + 1) * 5ull > capacity * 4ull; }

  // Answers how many bytes it took.
  std::size_t grow() {
    const std::uint32_t old_capacity = capacity;
    auto old = std::move(slots);
    capacity = std::max(kFirstCapacity, capacity + (capacity < kSmall ? capacity : capacity / 2));
    slots = std::make_unique<Neighbour[]>(capacity);
    for (std::uint32_t i = 0; i < old_capacity; ++i) {
      if (old[i].count != 0) slots[place(old[i].item)] = old[i];
    }
    return (capacity - old_capacity) * sizeof(Neighbour);
  }

  void erase(std::uint32_t hole) {
    --used;
    for (std::uint32_t at = after(hole); slots[at].count != 0; at = after(at)) {
      // An entry may fill the hole unless its home lies behind the hole, on the way to it.
      const std::uint32_t from_home = (at + capacity - home(slots[at].item)) % capacity;
      const std::uint32_t from_hole = (at + capacity - hole) % capacity;
      if (from_home < from_hole) continue;
      slots[hole] = slots[at];
      hole = at;
    }
    slots[hole] = Neighbour{};
  }
};

Cooccurrence::Cooccurrence(std::size_t budget_bytes)
    : budget_(budget_bytes), locks_(std::make_unique<Stripe[]>(kStripes)) {}
Cooccurrence::~Cooccurrence() = default;

Cooccurrence::Row& Cooccurrence::row_for(state::ItemIndex item) {
  if (item >= rows_.size()) {
    const std::lock_guard lock(grow_);
    people_.grow_to(std::size_t{item} + 1);
    rows_.grow_to(std::size_t{item} + 1);
  }
  return rows_[item];
}

void Cooccurrence::count(Row& row, state::ItemIndex other) {
  const bool may_grow = bytes_.load(std::memory_order_relaxed) < budget_;
  if (row.full() && may_grow) bytes_.fetch_add(row.grow(), std::memory_order_relaxed);
  Neighbour* slot = row.capacity == 0 ? nullptr : &row.slots[row.place(other)];
  if (slot == nullptr || (slot->count == 0 && !may_grow)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (slot->count == 0) {
    slot->item = other;
    ++row.used;
  }
  ++slot->count;
}

void Cooccurrence::uncount(Row& row, state::ItemIndex other) {
  if (row.capacity == 0) return;
  forget_strongest(row);
  const std::uint32_t at = row.place(other);
  if (row.slots[at].count != 0 && --row.slots[at].count == 0) row.erase(at);
}

void Cooccurrence::change(state::ItemIndex item, std::span<const state::ItemIndex> others,
                          bool add) {
  Row& row = row_for(item);
  const std::lock_guard lock(lock_of(item));
  if (!add) ++locks_[item % kStripes].uncounted;
  for (const state::ItemIndex other : others) add ? count(row, other) : uncount(row, other);
}

void Cooccurrence::count_stripe(std::span<const Half> halves) {
  constexpr std::size_t kAhead = 12;  // memory is slow: ask for it early
  const std::lock_guard lock(lock_of(halves.front().row));
  for (std::size_t i = 0; i < halves.size(); ++i) {
    if (i + 2 * kAhead < halves.size()) prefetch(&rows_[halves[i + 2 * kAhead].row]);
    if (i + kAhead < halves.size()) {
      const Half& soon = halves[i + kAhead];
      const Row& row = rows_[soon.row];
      if (row.capacity != 0) __builtin_prefetch(&row.slots[row.home(soon.other)], 1);
    }
    count(rows_[halves[i].row], halves[i].other);
  }
}

void Cooccurrence::Batch::add(state::ItemIndex item, std::span<const state::ItemIndex> window) {
  items_.push_back(item);
  for (const state::ItemIndex other : window) {
    halves_.push_back({item, other});
    halves_.push_back({other, item});
  }
}

void Cooccurrence::Batch::settle(Cooccurrence& table) {
  for (const state::ItemIndex item : items_) {
    table.row_for(item);
    table.people_[item].fetch_add(1, std::memory_order_relaxed);
  }
  items_.clear();
  std::array<std::size_t, kStripes + 1> ends{};  // by stripe, after placing; before: beginnings
  state::ItemIndex highest = 0;
  for (const Half& half : halves_) {
    ++ends[half.row % kStripes + 1];
    highest = std::max(highest, half.row);
  }
  if (halves_.empty()) return;
  table.row_for(highest);
  for (std::size_t stripe = 0; stripe < kStripes; ++stripe) ends[stripe + 1] += ends[stripe];
  ordered_.resize(halves_.size());
  for (const Half& half : halves_) ordered_[ends[half.row % kStripes]++] = half;
  std::size_t begin = 0;
  for (std::size_t stripe = 0; stripe < kStripes; ++stripe) {
    if (ends[stripe] > begin) {
      table.count_stripe(std::span(ordered_).subspan(begin, ends[stripe] - begin));
    }
    begin = ends[stripe];
  }
  halves_.clear();
}

void Cooccurrence::add(state::ItemIndex item, std::span<const state::ItemIndex> window) {
  row_for(item);
  people_[item].fetch_add(1, std::memory_order_relaxed);
  change(item, window, true);
  for (const state::ItemIndex other : window) change(other, {&item, 1}, true);
}

void Cooccurrence::remove(state::ItemIndex item, std::span<const state::ItemIndex> window) {
  row_for(item);
  auto& people = people_[item];
  std::uint32_t now = people.load(std::memory_order_relaxed);
  while (now > 0 && !people.compare_exchange_weak(now, now - 1, std::memory_order_relaxed)) {
  }
  change(item, window, false);
  for (const state::ItemIndex other : window) change(other, {&item, 1}, false);
}

void Cooccurrence::clear() {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::lock_guard lock(lock_of(static_cast<state::ItemIndex>(i)));
    ++locks_[i % kStripes].uncounted;
    Row& row = rows_[i];
    bytes_.fetch_sub(row.capacity * sizeof(Neighbour), std::memory_order_relaxed);
    forget_strongest(row);
    row.slots.reset();
    row.capacity = 0;
    row.used = 0;
    people_[i].store(0, std::memory_order_relaxed);
  }
  refused_.store(0, std::memory_order_relaxed);
}

std::vector<Neighbour> Cooccurrence::Row::all() const {
  std::vector<Neighbour> out;
  out.reserve(used);
  for (std::uint32_t i = 0; i < capacity; ++i) {
    if (slots[i].count != 0) out.push_back(slots[i]);
  }
  return out;
}

std::vector<Neighbour> Cooccurrence::row(state::ItemIndex item) const {
  if (item >= rows_.size()) return {};
  const std::lock_guard lock(lock_of(item));
  return rows_[item].all();
}

std::shared_ptr<const std::vector<Neighbour>> Cooccurrence::strongest(state::ItemIndex item,
                                                                      double shrink) const {
  constexpr std::uint32_t kStale = 64;
  auto chosen = std::make_shared<std::vector<Neighbour>>();
  if (item >= rows_.size()) return chosen;
  const Row& row = rows_[item];
  const Stripe& stripe = locks_[item % kStripes];
  const std::uint32_t now = people(item);
  std::uint64_t uncounted = 0;
  {
    const std::lock_guard lock(stripe.mutex);
    const auto* known = row.strongest.get();
    if (known != nullptr && now - known->people <= now / kStale) return known->neighbours;
    *chosen = row.all();
    uncounted = stripe.uncounted;
  }
  if (chosen->size() <= kStrongest) return chosen;
  keep_strongest(*chosen, now, shrink);
  const std::lock_guard lock(stripe.mutex);
  if (stripe.uncounted != uncounted) return chosen;
  if (!row.strongest) bytes_.fetch_add(kStrongestBytes, std::memory_order_relaxed);
  row.strongest = std::make_unique<const Row::Strongest>(Row::Strongest{chosen, now});
  return chosen;
}

void Cooccurrence::keep_strongest(std::vector<Neighbour>& row, std::uint32_t people_of_row,
                                  double shrink) const {
  std::vector<std::pair<double, Neighbour>> by_strength;
  by_strength.reserve(row.size());
  for (const Neighbour& one : row) {
    const double both = std::sqrt(static_cast<double>(people_of_row) * people(one.item));
    by_strength.emplace_back(one.count / (both + shrink), one);
  }
  std::nth_element(by_strength.begin(), by_strength.begin() + kStrongest, by_strength.end(),
                   [](const auto& a, const auto& b) {
                     return a.first != b.first ? a.first > b.first : a.second.item < b.second.item;
                   });
  row.clear();
  row.shrink_to_fit();
  row.reserve(kStrongest);
  for (std::size_t i = 0; i < kStrongest; ++i) row.push_back(by_strength[i].second);
}

// With the row's lock held.
void Cooccurrence::forget_strongest(Row& row) {
  if (!row.strongest) return;
  row.strongest.reset();
  bytes_.fetch_sub(kStrongestBytes, std::memory_order_relaxed);
}

std::uint32_t Cooccurrence::people(state::ItemIndex item) const {
  return item < people_.size() ? people_[item].load(std::memory_order_relaxed) : 0;
}

std::size_t Cooccurrence::memory_bytes() const {
  return bytes_.load(std::memory_order_relaxed) +
         rows_.size() * (sizeof(Row) + sizeof(std::uint32_t)) + kStripes * sizeof(Stripe);
}

std::uint64_t Cooccurrence::refused() const { return refused_.load(std::memory_order_relaxed); }

std::vector<state::ItemNumber> whole_sequence(const state::Person& person) {
  std::vector<std::pair<std::uint32_t, state::ItemNumber>> placed;
  person.for_each_row([&](const state::ItemRow& row) {
    if (row.order != 0) placed.emplace_back(row.order, row.item);
  });
  std::sort(placed.begin(), placed.end());
  std::vector<state::ItemNumber> out;
  out.reserve(placed.size());
  for (const auto& [order, item] : placed) out.push_back(item);
  return out;
}

}  // namespace millrace::processors
