#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "schemas/address.h"
#include "serving/http/token_buckets.h"

namespace millrace::serving {

// Mean and variance of a number, older values weighing less and less (each a tenth less).
class Usual {
 public:
  void add(double value);
  unsigned values() const { return values_; }
  double mean() const { return mean_; }
  double deviation() const;

 private:
  double mean_ = 0;
  double variance_ = 0;
  unsigned values_ = 0;
};

// Something that an address has never done before.
struct Anomaly {
  std::string_view kind;  // "rate": requests a minute; "failures": share of them that failed
  double value = 0;
  double mean = 0;  // of its own minutes until then
  double deviation = 0;
};

struct AddressRules {
  std::uint32_t per_minute = 0;      // requests; 0: no limit
  std::uint32_t failures = 0;        // within the window, that are abuse; 0: none are
  std::int64_t window_ms = 300'000;  // of failures
  std::size_t most = 100'000;        // addresses remembered; then the longest silent are forgotten
};

// What each address does: how fast it may, how often it failed, and what is usual for it. Asked by
// network() of addresses. Thread-safe.
class AddressTable {
 public:
  explicit AddressTable(const AddressRules& rules) : rules_(rules) {}

  struct Request {
    TokenBucket::Taken taken;
    std::optional<Anomaly> anomaly;
  };
  Request request(const Address& network, UnixMillis now);

  struct Failure {
    bool abuse = false;  // the window has just become full
    std::optional<Anomaly> anomaly;
  };
  // Of a request that was counted.
  Failure failure(const Address& network, UnixMillis now);

  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kSlots = 5;  // of the window

  struct Entry {
    TokenBucket bucket;
    UnixMillis seen = 0;
    std::int64_t minute = 0;  // that the two counts are of
    std::uint32_t requests = 0;
    std::uint32_t failed = 0;
    Usual rate{};
    Usual share{};
    UnixMillis told_rate = 0;  // of an anomaly, last
    UnixMillis told_share = 0;
    std::int64_t slot = 0;  // newest of the window
    std::array<std::uint32_t, kSlots> failures{};
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Address, Entry> entries;
  };

  Shard& shard_of(const Address& network) { return shards_[network.hash() >> 60u]; }
  Entry& entry_of(Shard& shard, const Address& network, UnixMillis now) const;
  void make_room(Shard& shard, UnixMillis now) const;
  static void turn(Entry& entry, UnixMillis now);
  std::uint32_t add_failure(Entry& entry, UnixMillis now) const;

  const AddressRules rules_;
  std::array<Shard, kShards> shards_;
};

}  // namespace millrace::serving
