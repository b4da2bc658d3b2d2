#include "state/item_index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <shared_mutex>
#include <unordered_map>

namespace millrace::state {
namespace {

std::size_t hash_of(std::string_view name) { return XXH3_64bits(name.data(), name.size()); }

struct NameHash {
  std::size_t operator()(std::string_view name) const { return hash_of(name); }
};

}  // namespace

struct NameTable::Shard {
  mutable std::shared_mutex lock;
  std::unordered_map<std::string_view, std::uint32_t, NameHash> indexes;  // keys lie in names_
  std::size_t text_bytes = 0;
};

NameTable::NameTable() : shards_(std::make_unique<std::array<Shard, kShards>>()) {}
NameTable::~NameTable() = default;

std::uint32_t NameTable::intern(std::string_view name) {
  if (const auto known = find(name)) return *known;
  Shard& shard = (*shards_)[(hash_of(name) >> 32) % kShards];
  const std::unique_lock guard(shard.lock);
  if (const auto it = shard.indexes.find(name); it != shard.indexes.end()) return it->second;
  const std::lock_guard grow(grow_);
  const auto index = static_cast<std::uint32_t>(names_.size());
  names_.push_back(std::string(name));
  shard.indexes.emplace(std::string_view(names_[index]), index);
  shard.text_bytes += name.size();
  return index;
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
  const Shard& shard = (*shards_)[(hash_of(name) >> 32) % kShards];
  const std::shared_lock guard(shard.lock);
  const auto it = shard.indexes.find(name);
  if (it == shard.indexes.end()) return std::nullopt;
  return it->second;
}

std::string_view NameTable::name(std::uint32_t index) const { return names_[index]; }

std::uint32_t NameTable::size() const { return static_cast<std::uint32_t>(names_.size()); }

std::size_t NameTable::memory_bytes() const {
  constexpr std::size_t kPerName = sizeof(std::string) + 48;  // the string, a map node, its bucket
  std::size_t bytes = sizeof(void*) * (ChunkedVector<std::string>::capacity() / 1024);
  for (const Shard& shard : *shards_) {
    const std::shared_lock guard(shard.lock);
    bytes += shard.indexes.size() * kPerName + shard.text_bytes;
  }
  return bytes;
}

}  // namespace millrace::state
