#include "state/duplicates.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <atomic>

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

// Entries in order of arrival, and an open-addressing table of their places, which count up and
// wrap: place - first_place is the position in the queue.
struct Shard {
  mutable std::mutex lock;
  std::deque<Packed> entries;
  std::uint32_t first_place = 0;
  std::vector<std::uint32_t> table = std::vector<std::uint32_t>(16, kFree);
  std::size_t used = 0;

  const Packed& at(std::uint32_t place) const { return entries[place - first_place]; }
  std::size_t slot_of(const Identity& identity) const { return identity.low & (table.size() - 1); }
  std::size_t next(std::size_t slot) const { return (slot + 1) & (table.size() - 1); }

  // The slot that holds `identity`, or the free one where it would go.
  std::size_t find(const Identity& identity) const {
    std::size_t slot = slot_of(identity);
    while (table[slot] != kFree && !(at(table[slot]).identity() == identity)) slot = next(slot);
    return slot;
  }

  void grow() {
    std::vector<std::uint32_t> old(table.size() * 2, kFree);
    old.swap(table);
    for (const std::uint32_t place : old) {
      if (place != kFree) table[find(at(place).identity())] = place;
    }
  }

  void push(const Packed& entry) {
    if ((used + 1) * 5 > table.size() * 4) grow();
    const std::size_t slot = find(entry.identity());
    auto place = static_cast<std::uint32_t>(first_place + entries.size());
    if (place == kFree) place = renumber();
    entries.push_back(entry);
    if (table[slot] == kFree) ++used;
    table[slot] = place;  // an entry of the same identity has left the window: the new one answers
  }

  // Places start again at 0, before they reach the mark of a free slot.
  std::uint32_t renumber() {
    for (std::uint32_t& place : table) {
      if (place != kFree) place -= first_place;
    }
    first_place = 0;
    return static_cast<std::uint32_t>(entries.size());
  }

  void pop() {
    std::size_t hole = find(entries.front().identity());
    if (table[hole] == first_place) {
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
    entries.pop_front();
    ++first_place;
  }

  std::size_t memory_bytes() const {
    return entries.size() * sizeof(Packed) + table.capacity() * sizeof(std::uint32_t) + 1024;
  }
};

}  // namespace

Identity identity_of(std::string_view user, std::string_view source, std::string_view id) {
  static thread_local std::string text;
  text.clear();
  for (const std::string_view part : {user, source, id}) {
    const std::uint64_t size = part.size();
    for (int shift = 0; shift < 64; shift += 8) text.push_back(static_cast<char>(size >> shift));
    text.append(part);
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

  Shard& shard_of(const Identity& identity) { return shards[identity.high % kShards]; }

  bool gone(std::uint64_t sequence, UnixMillis log_time, UnixMillis now) const {
    return sequence + max_ids < added || sequence < floor_sequence || log_time < floor_log_time ||
           now - log_time > max_age_ms;
  }
  bool gone(const Packed& entry, UnixMillis now) const {
    return gone(entry.sequence(added), entry.log_time(), now);
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

void Duplicates::add(const Identity& identity, const FirstSeen& first) {
  {
    Shard& shard = impl_->shard_of(identity);
    const std::lock_guard guard(shard.lock);
    shard.push(Packed::of(identity, impl_->added, first));
    ++impl_->added;
  }
  impl_->newest = std::max(impl_->newest.load(), first.log_time);
  impl_->fresh.push_back({identity, first});
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
  // Sequence numbers are kept by their low 32 bits.
  impl_->max_ids = std::min<std::uint64_t>(max_ids, UINT32_MAX / 2);
  impl_->max_age_ms = max_age_ms;
}

void Duplicates::forget_beyond(UnixMillis now) {
  impl_->newest = std::max(impl_->newest.load(), now);
  for (Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    while (!shard.entries.empty() && impl_->gone(shard.entries.front(), now)) shard.pop();
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

std::vector<Duplicates::Entry> Duplicates::take_new() { return std::exchange(impl_->fresh, {}); }

std::uint64_t Duplicates::oldest() const {
  const std::uint64_t added = impl_->added;
  std::uint64_t oldest = added;
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    for (const Packed& entry : shard.entries) {
      if (impl_->gone(entry, impl_->newest)) continue;
      oldest = std::min(oldest, entry.sequence(added));
      break;
    }
  }
  return oldest;
}

double Duplicates::window_hours() const {
  UnixMillis oldest = INT64_MAX;
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    for (const Packed& entry : shard.entries) {
      if (impl_->gone(entry, impl_->newest)) continue;
      oldest = std::min(oldest, entry.log_time());
      break;
    }
  }
  if (oldest == INT64_MAX) return 0;
  return static_cast<double>(impl_->newest - oldest) / (3600.0 * 1000.0);
}

std::size_t Duplicates::memory_bytes() const {
  std::size_t bytes = sizeof(Impl) + impl_->fresh.capacity() * sizeof(Entry);
  for (const Shard& shard : impl_->shards) {
    const std::lock_guard guard(shard.lock);
    bytes += shard.memory_bytes();
  }
  return bytes;
}

}  // namespace millrace::state
