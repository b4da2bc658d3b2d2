#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/chunked_vector.h"
#include "schemas/ids.h"
#include "state/item_index.h"

namespace millrace::processors {

// What people took to lately, whatever time that is: of each partition the last kShare of its log's
// records, at least kLeast and at most kMost of them. A window of records, unlike a half-life, is
// of the right length for a shop of a million events a day and for one of a hundred.
//
// After a restart it is read from the log's tail again (Engine), which reaches as far back as the
// window, if the log does. What was taken back since (an unlike), or sent twice, may differ then.
// An erased person's events go at once. Thread-safe; readers take no lock.
class RecentPopularity {
 public:
  static constexpr double kShare = 0.15;
  static constexpr Offset kLeast = 1'000;
  static constexpr Offset kMost = 100'000;  // 2.4 MB a partition

  explicit RecentPopularity(std::size_t partitions);

  // The partition's writer says so, offsets ascending.
  void took(std::uint16_t partition, Offset offset, std::string_view user, state::ItemIndex item);
  void forget(std::uint16_t partition, std::string_view user);

  std::uint32_t count(state::ItemIndex item) const;  // events in the windows
  double share() const;  // records in the windows, of all there are; 1 when there are none
  std::size_t memory_bytes() const;

 private:
  struct Taken {
    Offset offset = 0;
    std::uint64_t user = 0;  // hash
    state::ItemIndex item = state::kNoItem;
  };
  struct Part {
    mutable std::mutex mutex;
    std::deque<Taken> window;
    std::atomic<Offset> end{0};  // one past the last record of which it was told
  };
  static Offset length_of(Offset end);
  void change(state::ItemIndex item, std::uint32_t by);

  std::vector<std::unique_ptr<Part>> parts_;
  std::mutex grow_;
  ChunkedVector<std::atomic<std::uint32_t>> counts_;  // by ItemIndex, over all partitions
};

}  // namespace millrace::processors
