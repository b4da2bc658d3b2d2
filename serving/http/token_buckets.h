#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace millrace::serving {

// Limits a rate by token buckets, one a key: each holds at most `burst` and refills at
// `per_minute`. Buckets that are full again are forgotten. Thread-safe.
class TokenBuckets {
 public:
  TokenBuckets(std::uint32_t per_minute, std::uint32_t burst)
      : per_minute_(per_minute), burst_(burst) {}

  struct Taken {
    bool allowed = false;
    std::uint32_t left = 0;      // whole tokens
    std::int64_t wait_ms = 0;    // until there is one; 0: there is
    std::int64_t refill_ms = 0;  // until the bucket is full
  };
  // Takes one out of the bucket of `key` when there is one. A rate of 0 allows everything.
  Taken take(const std::string& key, UnixMillis now);
  // Puts one back.
  void give_back(const std::string& key);

  std::uint32_t burst() const { return burst_; }
  std::uint32_t per_minute() const { return per_minute_; }
  std::size_t size() const;

 private:
  struct Bucket {
    double left = 0;
    UnixMillis as_of = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Bucket> buckets;
    std::size_t sweep_at = kFirstSweep;  // buckets
  };
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kFirstSweep = 1'024;

  Shard& shard_of(const std::string& key) {
    return shards_[std::hash<std::string>()(key) / 31 % kShards];
  }
  double left_at(const Bucket& bucket, UnixMillis now) const;
  void sweep(Shard& shard, UnixMillis now) const;

  const std::uint32_t per_minute_;
  const std::uint32_t burst_;
  std::array<Shard, kShards> shards_;
};

}  // namespace millrace::serving
