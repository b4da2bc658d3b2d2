#include "state/item_index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <shared_mutex>
#include <vector>

namespace millrace::state {
namespace {

std::size_t hash_of(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

}  // namespace

// Open addressing by hash: names are looked at only where all of a slot's hash agrees.
struct NameTable::Shard {
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t index = kNoItem;  // kNoItem: free
  };

  // The slot of `name`, or the free one where it belongs.
  const Slot& slot_of(std::string_view name, std::uint64_t hash,
                      const ChunkedVector<std::string>& names) const {
    const auto mask = slots.size() - 1;
    auto at = hash & mask;
    while (slots[at].index != kNoItem &&
           (slots[at].hash != high(hash) || names[slots[at].index] != name)) {
      at = (at + 1) & mask;
    }
    return slots[at];
  }

  void insert(std::uint64_t hash, std::uint32_t index, const ChunkedVector<std::string>& names) {
    if (used * 2 >= slots.size()) {
      std::vector<Slot> old(slots.size() * 2);
      old.swap(slots);
      for (const Slot& slot : old) {
        if (slot.index != kNoItem) place(hash_of(names[slot.index]), slot.index);
      }
    }
    place(hash, index);
    ++used;
  }

  mutable std::shared_mutex lock;
  std::vector<Slot> slots = std::vector<Slot>(16);
  std::size_t used = 0;
  std::size_t text_bytes = 0;

 private:
  static std::uint32_t high(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void place(std::uint64_t hash, std::uint32_t index) {
    const auto mask = slots.size() - 1;
    auto at = hash & mask;
    while (slots[at].index != kNoItem) at = (at + 1) & mask;
    slots[at] = {high(hash), index};
  }
};

NameTable::NameTable() : shards_(std::make_unique<std::array<Shard, kShards>>()) {}
NameTable::~NameTable() = default;

std::uint32_t NameTable::intern(std::string_view name) {
  if (const auto known = find(name)) return *known;
  const std::uint64_t hash = hash_of(name);
  Shard& shard = (*shards_)[hash >> 58];
  const std::unique_lock guard(shard.lock);
  if (const auto& slot = shard.slot_of(name, hash, names_); slot.index != kNoItem) {
    return slot.index;
  }
  const std::lock_guard grow(grow_);
  const auto index = static_cast<std::uint32_t>(names_.size());
  names_.push_back(std::string(name));
  shard.insert(hash, index, names_);
  shard.text_bytes += name.size();
  return index;
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
  const std::uint64_t hash = hash_of(name);
  const Shard& shard = (*shards_)[hash >> 58];
  const std::shared_lock guard(shard.lock);
  const auto& slot = shard.slot_of(name, hash, names_);
  if (slot.index == kNoItem) return std::nullopt;
  return slot.index;
}

std::string_view NameTable::name(std::uint32_t index) const { return names_[index]; }

std::uint32_t NameTable::size() const { return static_cast<std::uint32_t>(names_.size()); }

std::size_t NameTable::memory_bytes() const {
  std::size_t bytes = sizeof(void*) * (ChunkedVector<std::string>::capacity() / 1024);
  for (const Shard& shard : *shards_) {
    const std::shared_lock guard(shard.lock);
    bytes += shard.slots.size() * sizeof(Shard::Slot) + shard.used * sizeof(std::string) +
             shard.text_bytes;
  }
  return bytes;
}

}  // namespace millrace::state
