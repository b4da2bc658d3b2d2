#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/metrics.h"

namespace millrace::serving {

// Counts what memos are asked for: `memo_lookups_total{found="yes"|"no"}`.
struct MemoCounters {
  explicit MemoCounters(Metrics& metrics)
      : found(metrics.counter("memo_lookups_total", kHelp, {{"found", "yes"}})),
        missed(metrics.counter("memo_lookups_total", kHelp, {{"found", "no"}})) {}
  static constexpr const char* kHelp = "Answers and candidates looked for among those made before.";
  Counter& found;
  Counter& missed;
};

// Keeps what was made by what was asked for, each for one version of the state: what cannot have
// changed is not made again. Holds about `max_bytes` at most, as `memory_bytes(value)`, found where
// Value is declared, says. Thread-safe.
template <class Value>
class Memo {
 public:
  // `metrics` outlives it; null: nothing is counted.
  Memo(std::size_t max_bytes, Metrics* metrics) : shard_bytes_(max_bytes / kShards) {
    if (metrics != nullptr) counters_ = std::make_unique<MemoCounters>(*metrics);
  }

  // What `make()`, an optional<Value>, made of `key` at `version`, now or earlier; null when it
  // made nothing. Two threads may make it at once.
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& key, std::uint64_t version,
                                   const Make& make) {
    auto kept = find(key, version);
    if (counters_) (kept ? counters_->found : counters_->missed).inc();
    if (kept) return kept;
    auto fresh = make();
    if (!fresh) return nullptr;
    auto made = std::make_shared<const Value>(*std::move(fresh));
    keep(key, version, made);
    return made;
  }

 private:
  static constexpr std::size_t kShards = 8;
  static constexpr std::size_t kEntryBytes = 200;
  struct Entry {
    std::uint64_t version = 0;
    std::shared_ptr<const Value> value;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::size_t bytes = 0;
  };

  static std::size_t bytes_of(const std::string& key, const Value& value) {
    return key.size() + memory_bytes(value) + kEntryBytes;
  }
  Shard& shard(const std::string& key) {
    return shards_[std::hash<std::string>()(key) / 7 % kShards];
  }
  std::shared_ptr<const Value> find(const std::string& key, std::uint64_t version) {
    Shard& in = shard(key);
    const std::lock_guard lock(in.mutex);
    const auto found = in.entries.find(key);
    if (found == in.entries.end() || found->second.version != version) return nullptr;
    return found->second.value;
  }
  void keep(const std::string& key, std::uint64_t version, std::shared_ptr<const Value> value) {
    const auto bytes = bytes_of(key, *value);
    if (bytes > shard_bytes_) return;
    Shard& in = shard(key);
    const std::lock_guard lock(in.mutex);
    if (const auto old = in.entries.find(key); old != in.entries.end()) {
      if (old->second.version > version) return;
      in.bytes -= bytes_of(key, *old->second.value);
      in.entries.erase(old);
    }
    if (in.bytes + bytes > shard_bytes_) {
      in.entries.clear();
      in.bytes = 0;
    }
    in.bytes += bytes;
    in.entries.emplace(key, Entry{version, std::move(value)});
  }

  const std::size_t shard_bytes_;
  std::unique_ptr<MemoCounters> counters_;
  std::array<Shard, kShards> shards_;
};

}  // namespace millrace::serving
