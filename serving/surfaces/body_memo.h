#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace millrace::serving {

// A body that was rendered once, with its entity tag (quoted).
struct Rendered {
  std::string body;
  std::string etag;
};

// Keeps rendered bodies by what was asked for, each for one version of the state: an answer that
// cannot have changed is not rendered again. Holds about `max_bytes` at most. Thread-safe.
class BodyMemo {
 public:
  explicit BodyMemo(std::size_t max_bytes) : shard_bytes_(max_bytes / kShards) {}

  // What `render()`, an optional<Rendered>, made of `key` at `version`, now or earlier; null when
  // it made nothing. Two threads may render at once.
  template <class Render>
  std::shared_ptr<const Rendered> get(const std::string& key, std::uint64_t version,
                                      const Render& render) {
    if (auto kept = find(key, version)) return kept;
    auto fresh = render();
    if (!fresh) return nullptr;
    auto made = std::make_shared<const Rendered>(*std::move(fresh));
    keep(key, version, made);
    return made;
  }

 private:
  static constexpr std::size_t kShards = 8;
  struct Entry {
    std::uint64_t version = 0;
    std::shared_ptr<const Rendered> rendered;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::size_t bytes = 0;
  };

  std::shared_ptr<const Rendered> find(const std::string& key, std::uint64_t version);
  void keep(const std::string& key, std::uint64_t version,
            std::shared_ptr<const Rendered> rendered);
  Shard& shard(const std::string& key) {
    return shards_[std::hash<std::string>()(key) / 7 % kShards];
  }

  const std::size_t shard_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace millrace::serving
