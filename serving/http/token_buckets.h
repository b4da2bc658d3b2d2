#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"

namespace millrace::serving {

// A rate of 0 allows everything.
struct BucketRate {
  std::uint32_t tokens = 0;  // a period
  std::uint32_t burst = 0;
  std::int64_t period_ms = 60'000;
};

// One bucket of tokens: holds at most `burst` of them and refills by `tokens` a period. Not
// thread-safe.
class TokenBucket {
 public:
  TokenBucket(const BucketRate& rate, UnixMillis now) : left_(rate.burst), as_of_(now) {}

  struct Taken {
    bool allowed = false;
    std::uint32_t left = 0;      // whole tokens
    std::int64_t wait_ms = 0;    // until there is one; 0: there is
    std::int64_t refill_ms = 0;  // until the bucket is full
  };
  // Takes one when there is one. A clock that steps back gives nothing.
  Taken take(const BucketRate& rate, UnixMillis now);
  void give_back(const BucketRate& rate);
  double left_at(const BucketRate& rate, UnixMillis now) const;

 private:
  double left_;
  UnixMillis as_of_;
};

// A bucket for each key. Those that are full again are forgotten. Thread-safe.
class TokenBuckets {
 public:
  explicit TokenBuckets(std::uint32_t per_minute) : rate_{per_minute, per_minute} {}
  TokenBuckets(std::uint32_t per_minute, std::uint32_t burst) : rate_{per_minute, burst} {}
  explicit TokenBuckets(const BucketRate& rate) : rate_(rate) {}

  TokenBucket::Taken take(std::uint64_t key, UnixMillis now);
  void give_back(std::uint64_t key);
  const BucketRate& rate() const { return rate_; }
  std::size_t size() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, TokenBucket> buckets;
    std::size_t sweep_at = kFirstSweep;  // buckets
  };
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kFirstSweep = 1'024;

  Shard& shard_of(std::uint64_t key) { return shards_[key * 0x9e3779b97f4a7c15u >> 60u]; }
  void sweep(Shard& shard, UnixMillis now) const;

  const BucketRate rate_;
  std::array<Shard, kShards> shards_;
};

}  // namespace millrace::serving
