#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

namespace millrace::state {

// A hash map of which immutable copies are cheap: they share their shards with it, and a change
// clones the shard that it is in once. One thread changes; copies are for any thread to read.
template <class Key, class Value>
class CowMap {
 public:
  // nullptr: not there.
  const Value* find(const Key& key) const {
    const auto& shard = shards_[place(key)];
    if (!shard) return nullptr;
    const auto found = shard->find(key);
    return found == shard->end() ? nullptr : &found->second;
  }
  std::size_t size() const { return size_; }
  // In no particular order.
  template <class F>
  void for_each(F&& visit) const {
    for (const auto& shard : shards_) {
      if (!shard) continue;
      for (const auto& [key, value] : *shard) visit(key, value);
    }
  }

  void put(const Key& key, Value value) {
    if (own(place(key)).insert_or_assign(key, std::move(value)).second) ++size_;
  }
  // The value of a key, made when it is not there: to be changed at once.
  Value& operator[](const Key& key) {
    const auto [at, fresh] = own(place(key)).try_emplace(key);
    if (fresh) ++size_;
    return at->second;
  }
  void erase(const Key& key) {
    if (find(key) == nullptr) return;
    own(place(key)).erase(key);
    --size_;
  }
  // What this one holds now; both go on from there.
  CowMap share() {
    owned_.fill(false);
    return *this;
  }

 private:
  static constexpr std::size_t kShards = 256;
  using Shard = std::unordered_map<Key, Value>;

  static std::size_t place(const Key& key) {
    // The lowest bits choose the bucket within a shard.
    return std::hash<Key>()(key) * 0x9e3779b97f4a7c15u >> 56;
  }
  Shard& own(std::size_t at) {
    auto& shard = shards_[at];
    if (!shard) {
      shard = std::make_shared<Shard>();
    } else if (!owned_[at]) {
      shard = std::make_shared<Shard>(*shard);
    }
    owned_[at] = true;
    return *shard;
  }

  std::array<std::shared_ptr<Shard>, kShards> shards_;
  std::array<bool, kShards> owned_{};  // nobody else holds the shard
  std::size_t size_ = 0;
};

}  // namespace millrace::state
