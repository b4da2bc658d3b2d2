#include "state/duplicates.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <vector>

#include "base/prefetch.h"
#include "state/digest.h"

namespace millrace::state {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::uint32_t kFree = UINT32_MAX;

// 36 bytes: the sequence number keeps its low half, log time shares a word with the verdict.
struct Packed {
  std::array<std::uint32_t, 9> words;

  static Packed of(const Identity& identity, std::uint64_t sequence, const FirstSeen& first) {
    Packed packed;
    packed.put(0, identity.low);
    packed.put(2, identity.high);
    packed.put(4, static_cast<std::uint64_t>(first.offset));
    packed.put(6, static_cast<std::uint64_t>(first.log_time) << 8 |
                      static_cast<std::uint64_t>(first.verdict));
    packed.words[8] = static_cast<std::uint32_t>(sequence);
    return packed;
  }
  Identity identity() const { return {word(0), word(2)}; }
  UnixMillis log_time() const { return static_cast<std::int64_t>(word(6)) >> 8; }
  FirstSeen first() const {
    return {static_cast<Offset>(word(4)), log_time(), static_cast<Verdict>(word(6) & 255)};
  }
  // The sequence number, less than 2^32 below `next`.
  std::uint64_t sequence(std::uint64_t next) const {
    return next - 1 - (static_cast<std::uint32_t>(next - 1) - words[8]);
  }

 private:
  void put(std::size_t at, std::uint64_t value) {
    words[at] = static_cast<std::uint32_t>(value);
    words[at + 1] = static_cast<std::uint32_t>(value >> 32);
  }
  std::uint64_t word(std::size_t at) const {
    return words[at] | static_cast<std::uint64_t>(words[at + 1]) << 32;
  }
};
static_assert(sizeof(Packed) == 36);

// A queue of entries in blocks, addressed by places that count up modulo 2^24.
class Queue {
 public:
  static constexpr std::uint32_t kPlaces = 1u << 24;

  const Packed& at(std::uint32_t place) const {
    const std::uint32_t position = (place - base_) % kPlaces;
    return (*blocks_[position / kBlock])[position % kBlock];
  }
  std::size_t size() const { return size_; }
  std::uint32_t first_place() const { return (base_ + skipped_) % kPlaces; }
  const Packed& operator[](std::size_t i) const {
    return at(first_place() + static_cast<std::uint32_t>(i));
  }

  std::uint32_t push(const Packed& entry) {
    const std::size_t position = skipped_ + size_;
    if (position / kBlock == blocks_.size()) blocks_.push_back(std::make_unique<Block>());
    (*blocks_[position / kBlock])[position % kBlock] = entry;
    ++size_;
    return (base_ + static_cast<std::uint32_t>(position)) % kPlaces;
  }
  void pop() {
    --size_;
    if (++skipped_ < kBlock) return;
    blocks_.pop_front();
    base_ = (base_ + kBlock) % kPlaces;
    skipped_ = 0;
  }
  std::size_t memory_bytes() const { return blocks_.size() * sizeof(Block); }

 private:
  static constexpr std::uint32_t kBlock = 256;
  using Block = std::array<Packed, kBlock>;
  std::deque<std::unique_ptr<Block>> blocks_;
  std::uint32_t base_ = 0;     // place of the first block's first entry
  std::uint32_t skipped_ = 0;  // entries of the first block that are gone
  std::size_t size_ = 0;
};

// Entries in order of arrival, and an open-addressing table of their places, each with a byte of
// the hash, so that looking past others seldom touches their entries.
struct Shard {
  mutable std::mutex lock;
  Queue entries;
  std::vector<std::uint32_t> table = std::vector<std::uint32_t>(16, kFree);
  std::size_t used = 0;

  // 0 … 254, so that no slot looks free.
  static std::uint32_t tag_of(const Identity& identity) {
    return static_cast<std::uint32_t>((identity.low >> 48) % 255) << 24;
  }
  const Packed& at(std::uint32_t slot_value) const {
    return entries.at(slot_value % Queue::kPlaces);
  }
  std::size_t slot_of(const Identity& identity) const { return identity.low & (table.size() - 1); }
  std::size_t next(std::size_t slot) const { return (slot + 1) & (table.size() - 1); }

  // The slot that holds `identity`, or the free one where it would go.
  std::size_t find(const Identity& identity) const {
    const std::uint32_t tag = tag_of(identity);
    for (std::size_t slot = slot_of(identity);; slot = next(slot)) {
      const std::uint32_t value = table[slot];
      if (value == kFree) return slot;
      if ((value & ~(Queue::kPlaces - 1)) == tag && at(value).identity() == identity) return slot;
    }
  }

  void grow() {
    std::vector<std::uint32_t> old(table.size() * 2, kFree);
    old.swap(table);
    for (const std::uint32_t value : old) {
      if (value != kFree) table[find(at(value).identity())] = value;
    }
  }

  void push(const Packed& entry) {
    if ((used + 1) * 5 > table.size() * 4) grow();
    const Identity identity = entry.identity();
    const std::size_t slot = find(identity);
    if (table[slot] == kFree) ++used;
    // An entry of the same identity has left the window: the new one answers.
    table[slot] = tag_of(identity) | entries.push(entry);
  }

  void pop() {
    const Identity identity = entries[0].identity();
    std::size_t hole = find(identity);
    if (table[hole] == (tag_of(identity) | entries.first_place())) {
      table[hole] = kFree;
      --used;
      for (std::size_t slot = next(hole); table[slot] != kFree; slot = next(slot)) {
        const std::size_t home = slot_of(at(table[slot]).identity());
        const std::size_t mask = table.size() - 1;
        if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
        table[hole] = table[slot];
        table[slot] = kFree;
        hole = slot;
      }
    }
    entries.pop();
  }

  std::size_t memory_bytes() const {
    return entries.memory_bytes() + table.capacity() * sizeof(std::uint32_t);
  }
};

}  // namespace

Identity identity_of(std::string_view user, std::string_view source, std::string_view id) {
  static thread_local std::string text;
  text.clear();
  for (const std::string_view part : {user, source, id}) {
    char size[sizeof(std::uint64_t)];
    for (std::size_t i = 0; i < sizeof size; ++i) size[i] = static_cast<char>(part.size() >> 8 * i);
    text.append(size, sizeof size).append(part);
  }
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.low64, hash.high64};
}

struct Duplicates::Impl {
  std::array<Shard, kShards> shards;
  std::atomic<std::uint64_t> added{0};
  std::atomic<std::uint64_t> max_ids{1'000'000};
  std::atomic<std::int64_t> max_age_ms{24LL * 3600 * 1000};
  std::atomic<std::uint64_t> floor_sequence{0};
  std::atomic<UnixMillis> floor_log_time{INT64_MIN};
  std::atomic<UnixMillis> newest{INT64_MIN};  // log time last heard of
  std::vector<Entry> fresh;
  std::atomic<std::size_t> fresh_bytes{0};

  Shard& shard_of(const Identity& identity) { return shards[identity.high % kShards]; }

  bool gone(std::uint64_t sequence, UnixMillis log_time, UnixMillis now) const {
    return sequence + max_ids < added || sequence < floor_sequence || log_time < floor_log_time ||
           now - log_time > max_age_ms;
  }
  bool gone(const Packed& entry, UnixMillis now) const {
    return gone(entry.sequence(added), entry.log_time(), now);
  }
  const Packed* oldest_in(const Shard& shard) const {
    for (std::size_t i = 0; i < shard.entries.size(); ++i) {
      if (!gone(shard.entries[i], newest)) return &shard.entries[i];
    }
    return nullptr;
  }
};

Duplicates::Duplicates() : impl_(std::make_unique<Impl>()) {}
Duplicates::~Duplicates() = default;

std::optional<FirstSeen> Duplicates::find(const Identity& identity, UnixMillis now) const {
  Shard& shard = impl_->shard_of(identity);
  const std::lock_guard guard(shard.lock);
  const std::uint32_t place = shard.table[shard.find(identity)];
  if (place == kFree || impl_->gone(shard.at(place), now)) return std::nullopt;
  return shard.at(place).first();
}

// Without the lock: nobody but the writer changes the tables.
void Duplicates::expect(const Identity& identity) const {
  const Shard& shard = impl_->shard_of(identity);
  prefetch(&shard.table[shard.slot_of(identity)]);
}

void Duplicates::add(const Identity& identity, const FirstSeen& first) {
  {
    Shard& shard = impl_->shard_of(identity);
    const std::lock_guard guard(shard.lock);
    shard.push(Packed::of(identity, impl_->added, first));
    ++impl_->added;
  }
  if (first.log_time > impl_->newest) impl_->newest = first.log_time;
  auto& fresh = impl_->fresh;
  const bool grows = fresh.size() == fresh.capacity();
  fresh.push_back({identity, first});
  if (grows) impl_->fresh_bytes = fresh.capacity() * sizeof(Entry);
}

void Duplicates::set_window(std::uint64_t max_ids, std::int64_t max_age_ms) {
  const std::uint64_t added = impl_->added;
  if (added > impl_->max_ids) {
    impl_->floor_sequence = std::max(impl_->floor_sequence.load(), added - impl_->max_ids);
  }
  if (impl_->newest != INT64_MIN) {
    impl_->floor_log_time =
        std::max(impl_->floor_log_time.load(), impl_->newest - impl_->max_age_ms);
  }
  // Half of what the shards' places can address.
  impl_->max_ids = std::min<std::uint64_t>(max_ids, kShards * (Queue::kPlaces / 2));
  impl_->max_age_ms = max_age_ms;
}

void Duplicates::forget_beyond(UnixMillis now) {
  impl_->newest = std::max(impl_->newest.load(), now);
  for (Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    while (shard.entries.size() > 0 && impl_->gone(shard.entries[0], now)) shard.pop();
  }
}

Duplicates::Floor Duplicates::floor() const {
  return {impl_->floor_sequence, impl_->floor_log_time};
}

void Duplicates::restore_floor(const Floor& floor) {
  impl_->floor_sequence = floor.sequence;
  impl_->floor_log_time = floor.log_time;
}

std::uint64_t Duplicates::added() const { return impl_->added; }

void Duplicates::restore_added(std::uint64_t n) { impl_->added = n; }

std::vector<Duplicates::Entry> Duplicates::take_new() {
  impl_->fresh_bytes = 0;
  return std::exchange(impl_->fresh, {});
}

std::uint64_t Duplicates::oldest() const {
  const std::uint64_t added = impl_->added;
  std::uint64_t oldest = added;
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    if (const Packed* entry = impl_->oldest_in(shard)) {
      oldest = std::min(oldest, entry->sequence(added));
    }
  }
  return oldest;
}

double Duplicates::window_hours() const {
  UnixMillis oldest = INT64_MAX;
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    if (const Packed* entry = impl_->oldest_in(shard)) {
      oldest = std::min(oldest, entry->log_time());
    }
  }
  if (oldest == INT64_MAX) return 0;
  return static_cast<double>(impl_->newest - oldest) / (3600.0 * 1000.0);
}

std::size_t Duplicates::memory_bytes() const {
  std::size_t bytes = sizeof(Impl) + impl_->fresh_bytes;
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    bytes += shard.memory_bytes();
  }
  return bytes;
}

}  // namespace millrace::state
