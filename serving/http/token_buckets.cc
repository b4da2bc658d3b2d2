#include "serving/http/token_buckets.h"

#include <algorithm>
#include <cmath>

namespace millrace::serving {
namespace {

constexpr double kMinuteMs = 60'000;

}  // namespace

double TokenBuckets::left_at(const Bucket& bucket, UnixMillis now) const {
  const auto passed = static_cast<double>(std::max<UnixMillis>(0, now - bucket.as_of));
  return std::min<double>(burst_, bucket.left + passed * per_minute_ / kMinuteMs);
}

void TokenBuckets::sweep(Shard& shard, UnixMillis now) const {
  std::erase_if(shard.buckets,
                [&](const auto& entry) { return left_at(entry.second, now) >= burst_; });
  shard.sweep_at = std::max(kFirstSweep, 2 * shard.buckets.size());
}

TokenBuckets::Taken TokenBuckets::take(const std::string& key, UnixMillis now) {
  if (per_minute_ == 0) return {true, burst_, 0, 0};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= shard.sweep_at) sweep(shard, now);
  auto& bucket =
      shard.buckets.try_emplace(key, Bucket{static_cast<double>(burst_), now}).first->second;
  bucket.left = left_at(bucket, now);
  bucket.as_of = std::max(bucket.as_of, now);
  Taken taken;
  taken.allowed = bucket.left >= 1;
  if (taken.allowed) bucket.left -= 1;
  const auto ms_for = [this](double tokens) {
    return static_cast<std::int64_t>(std::ceil(tokens * kMinuteMs / per_minute_));
  };
  taken.left = static_cast<std::uint32_t>(bucket.left);
  taken.wait_ms = bucket.left >= 1 ? 0 : ms_for(1 - bucket.left);
  taken.refill_ms = ms_for(burst_ - bucket.left);
  return taken;
}

void TokenBuckets::give_back(const std::string& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.buckets.find(key);
  if (found != shard.buckets.end()) {
    found->second.left = std::min<double>(burst_, found->second.left + 1);
  }
}

std::size_t TokenBuckets::size() const {
  std::size_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.buckets.size();
  }
  return total;
}

}  // namespace millrace::serving
