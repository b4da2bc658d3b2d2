#include "serving/http/token_buckets.h"

#include <algorithm>
#include <cmath>

namespace millrace::serving {
double TokenBucket::left_at(const BucketRate& rate, UnixMillis now) const {
  const auto passed = static_cast<double>(std::max<UnixMillis>(0, now - as_of_));
  return std::min<double>(rate.burst,
                          left_ + passed * rate.tokens / static_cast<double>(rate.period_ms));
}

TokenBucket::Taken TokenBucket::take(const BucketRate& rate, UnixMillis now) {
  if (rate.tokens == 0) return {true, rate.burst, 0, 0};
  left_ = left_at(rate, now);
  as_of_ = std::max(as_of_, now);
  Taken taken;
  taken.allowed = left_ >= 1;
  if (taken.allowed) left_ -= 1;
  const auto ms_for = [&rate](double tokens) {
    return static_cast<std::int64_t>(
        std::ceil(tokens * static_cast<double>(rate.period_ms) / rate.tokens));
  };
  taken.left = static_cast<std::uint32_t>(left_);
  taken.wait_ms = left_ >= 1 ? 0 : ms_for(1 - left_);
  taken.refill_ms = ms_for(rate.burst - left_);
  return taken;
}

void TokenBucket::give_back(const BucketRate& rate) {
  left_ = std::min<double>(rate.burst, left_ + 1);
}

void TokenBuckets::sweep(Shard& shard, UnixMillis now) const {
  std::erase_if(shard.buckets,
                [&](const auto& entry) { return entry.second.left_at(rate_, now) >= rate_.burst; });
  shard.sweep_at = std::max(kFirstSweep, 2 * shard.buckets.size());
}

TokenBucket::Taken TokenBuckets::take(std::uint64_t key, UnixMillis now) {
  if (rate_.tokens == 0) return {true, rate_.burst, 0, 0};
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= shard.sweep_at) sweep(shard, now);
  return shard.buckets.try_emplace(key, rate_, now).first->second.take(rate_, now);
}

void TokenBuckets::give_back(std::uint64_t key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.buckets.find(key);
  if (found != shard.buckets.end()) found->second.give_back(rate_);
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
