#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace millrace::processors {

// How many people did something, or were shown something, in the last kWindowMs of log time. Exact
// up to kMost people of a partition; beyond it a share of them by hash is kept and the rest counted
// by it (adaptive sampling, Flajolet 1990), within about 1 %. Thread-safe.
class RecentPeople {
 public:
  static constexpr std::int64_t kWindowMs = 15LL * 60 * 1000;
  static constexpr std::size_t kMost = 65'536;  // kept of a partition: about 3 MB

  explicit RecentPeople(std::size_t partitions);

  // The partition's writer says so; what is told out of order does no harm.
  void seen(std::uint16_t partition, std::string_view user, UnixMillis log_time);
  void forget(std::uint16_t partition, std::string_view user);
  std::size_t count(UnixMillis now) const;

 private:
  struct Part {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, UnixMillis> last;  // by the hash of their id
    unsigned level = 0;  // those are kept whose hash begins with so many zeros
  };
  static bool kept(const Part& part, std::uint64_t hash) {
    return part.level == 0 || hash >> (64 - part.level) == 0;
  }
  static void make_room(Part& part, UnixMillis now);

  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace millrace::processors
