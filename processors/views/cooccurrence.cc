#include "processors/views/cooccurrence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/prefetch.h"

namespace millrace::processors {

// Linear probing; deletion shifts back. Capacity grows by half, so that the fill stays high; while
// it is small it doubles, because most rows grow through that.
struct Cooccurrence::Row {
  static constexpr std::uint32_t kFirstCapacity = 6;
  static constexpr std::uint32_t kSmall = 96;

  std::unique_ptr<Neighbour[]> slots;
  std::uint32_t capacity = 0;
  std::uint32_t used = 0;
  std::atomic<std::uint32_t> people{0};

  Row() = default;
  Row& operator=(Row&& other) noexcept {  // of rows that nobody shares yet
    slots = std::move(other.slots);
    capacity = other.capacity;
    used = other.used;
    people.store(other.people.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return *this;
  }
  Row(Row&& other) noexcept { *this = std::move(other); }

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
  const std::uint32_t at = row.place(other);
  if (row.slots[at].count != 0 && --row.slots[at].count == 0) row.erase(at);
}

void Cooccurrence::change(state::ItemIndex item, std::span<const state::ItemIndex> others,
                          bool add) {
  Row& row = row_for(item);
  const std::lock_guard lock(lock_of(item));
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
    table.row_for(item).people.fetch_add(1, std::memory_order_relaxed);
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
  row_for(item).people.fetch_add(1, std::memory_order_relaxed);
  change(item, window, true);
  for (const state::ItemIndex other : window) change(other, {&item, 1}, true);
}

void Cooccurrence::remove(state::ItemIndex item, std::span<const state::ItemIndex> window) {
  auto& people = row_for(item).people;
  std::uint32_t now = people.load(std::memory_order_relaxed);
  while (now > 0 && !people.compare_exchange_weak(now, now - 1, std::memory_order_relaxed)) {
  }
  change(item, window, false);
  for (const state::ItemIndex other : window) change(other, {&item, 1}, false);
}

void Cooccurrence::clear() {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::lock_guard lock(lock_of(static_cast<state::ItemIndex>(i)));
    Row& row = rows_[i];
    bytes_.fetch_sub(row.capacity * sizeof(Neighbour), std::memory_order_relaxed);
    row.slots.reset();
    row.capacity = 0;
    row.used = 0;
    row.people.store(0, std::memory_order_relaxed);
  }
  refused_.store(0, std::memory_order_relaxed);
}

void Cooccurrence::row(state::ItemIndex item, std::vector<Neighbour>& into) const {
  into.clear();
  if (item >= rows_.size()) return;
  const std::lock_guard lock(lock_of(item));
  const Row& row = rows_[item];
  into.reserve(row.used);
  for (std::uint32_t i = 0; i < row.capacity; ++i) {
    if (row.slots[i].count != 0) into.push_back(row.slots[i]);
  }
}

std::vector<Neighbour> Cooccurrence::row(state::ItemIndex item) const {
  std::vector<Neighbour> out;
  row(item, out);
  return out;
}

std::uint32_t Cooccurrence::people(state::ItemIndex item) const {
  return item < rows_.size() ? rows_[item].people.load(std::memory_order_relaxed) : 0;
}

std::size_t Cooccurrence::memory_bytes() const {
  return bytes_.load(std::memory_order_relaxed) + rows_.size() * sizeof(Row) +
         kStripes * sizeof(Stripe);
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
