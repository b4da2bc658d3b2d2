#include "serving/http/address_table.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace millrace::serving {
namespace {

constexpr double kWeight = 0.1;      // of the newest value
constexpr unsigned kKnown = 10;      // minutes, before anything is unusual
constexpr double kFar = 6;           // deviations
constexpr double kLeastRate = 300;   // requests a minute that are worth a word
constexpr double kTimesRate = 3;     // the mean
constexpr double kLeastFailed = 20;  // requests a minute
constexpr double kLeastShare = 0.2;  // above the mean
constexpr UnixMillis kMinuteMs = 60'000;
constexpr UnixMillis kQuietMs = 3'600'000;  // between two words about the same
constexpr UnixMillis kSilentMs = 600'000;   // after which an address is forgotten first

double rate_bar(const Usual& rate) {
  return std::max({kLeastRate, kTimesRate * rate.mean(), rate.mean() + kFar * rate.deviation()});
}

double share_bar(const Usual& share) {
  return share.mean() + std::max(kLeastShare, kFar * share.deviation());
}

std::optional<Anomaly> tell(std::string_view kind, double value, const Usual& usual,
                            UnixMillis& told, UnixMillis now) {
  if (told != 0 && now - told < kQuietMs) return std::nullopt;
  told = now;
  return Anomaly{kind, value, usual.mean(), usual.deviation()};
}

}  // namespace

// West's update of exponentially weighted moments.
void Usual::add(double value) {
  const double difference = value - mean_;
  const double weight = values_ == 0 ? 1 : std::max(kWeight, 1.0 / (values_ + 1));
  mean_ += weight * difference;
  variance_ = (1 - weight) * (variance_ + weight * difference * difference);
  ++values_;
}

double Usual::deviation() const { return std::sqrt(variance_); }

// What the minute was goes into the history, but never as more than what would be unusual: who
// rises without a pause does not make that usual at once.
void AddressTable::turn(Entry& entry, UnixMillis now) {
  entry.seen = std::max(entry.seen, now);
  const std::int64_t minute = now / kMinuteMs;
  if (minute <= entry.minute) return;
  if (entry.requests > 0) {
    const double rate = entry.requests;
    const double share = std::min(1.0, entry.failed / rate);
    const bool known = entry.rate.values() >= kKnown;
    entry.share.add(known ? std::min(share, share_bar(entry.share)) : share);
    entry.rate.add(known ? std::min(rate, rate_bar(entry.rate)) : rate);
  }
  entry.minute = minute;
  entry.requests = entry.failed = 0;
}

// Those that have long been silent go first, then the half that has been silent longest.
void AddressTable::make_room(Shard& shard, UnixMillis now) const {
  auto& entries = shard.entries;
  const std::size_t most = std::max<std::size_t>(1, rules_.most / kShards);
  if (entries.size() < most) return;
  std::erase_if(entries, [now](const auto& e) { return e.second.seen + kSilentMs < now; });
  if (entries.size() < most - most / 8) return;
  std::vector<UnixMillis> seen;
  seen.reserve(entries.size());
  for (const auto& [network, entry] : entries) seen.push_back(entry.seen);
  const auto middle = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2);
  std::nth_element(seen.begin(), middle, seen.end());
  std::size_t rest = seen.size() / 2 + 1;  // also where all were seen at once
  std::erase_if(entries, [&](const auto& e) { return e.second.seen <= *middle && rest-- > 0; });
}

AddressTable::Entry& AddressTable::entry_of(Shard& shard, const Address& network,
                                            UnixMillis now) const {
  const auto found = shard.entries.find(network);
  if (found != shard.entries.end()) return found->second;
  make_room(shard, now);
  const BucketRate rate{rules_.per_minute, rules_.per_minute};
  return shard.entries.emplace(network, Entry{.bucket = {rate, now}}).first->second;
}

AddressTable::Request AddressTable::request(const Address& network, UnixMillis now) {
  Shard& shard = shard_of(network);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, network, now);
  turn(entry, now);
  ++entry.requests;
  Request out;
  out.taken = entry.bucket.take({rules_.per_minute, rules_.per_minute}, now);
  if (entry.requests > kLeastRate && entry.rate.values() >= kKnown &&
      entry.requests > rate_bar(entry.rate)) {
    out.anomaly = tell("rate", entry.requests, entry.rate, entry.told_rate, now);
  }
  return out;
}

// Counts in slots of a fifth of the window, so that what is told lies within the window.
std::uint32_t AddressTable::add_failure(Entry& entry, UnixMillis now) const {
  const std::int64_t slot = now / std::max<std::int64_t>(1, rules_.window_ms / kSlots);
  if (slot - entry.slot >= static_cast<std::int64_t>(kSlots)) entry.failures.fill(0);
  for (; entry.slot < slot && slot - entry.slot < static_cast<std::int64_t>(kSlots);) {
    entry.failures[static_cast<std::size_t>(++entry.slot) % kSlots] = 0;
  }
  entry.slot = std::max(entry.slot, slot);
  ++entry.failures[static_cast<std::size_t>(entry.slot) % kSlots];
  std::uint32_t sum = 0;
  for (const auto failures : entry.failures) sum += failures;
  return sum;
}

AddressTable::Failure AddressTable::failure(const Address& network, UnixMillis now) {
  Shard& shard = shard_of(network);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, network, now);
  turn(entry, now);
  ++entry.failed;
  Failure out;
  if (rules_.failures != 0 && add_failure(entry, now) >= rules_.failures) {
    out.abuse = true;
    entry.failures.fill(0);
  }
  const double share =
      std::min(1.0, entry.failed / std::max(1.0, static_cast<double>(entry.requests)));
  if (entry.failed >= kLeastFailed && entry.share.values() >= kKnown &&
      share > share_bar(entry.share)) {
    out.anomaly = tell("failures", share, entry.share, entry.told_share, now);
  }
  return out;
}

std::size_t AddressTable::size() const {
  std::size_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.entries.size();
  }
  return total;
}

}  // namespace millrace::serving
