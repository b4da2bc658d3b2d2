#include "processors/views/recent_people.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace millrace::processors {

RecentPeople::RecentPeople(std::size_t partitions) {
  for (std::size_t i = 0; i < partitions; ++i) parts_.push_back(std::make_unique<Part>());
}

// Who was last seen before the window goes first, then the half of higher hashes.
void RecentPeople::make_room(Part& part, UnixMillis now) {
  std::erase_if(part.last, [&](const auto& one) { return one.second <= now - kWindowMs; });
  if (part.last.empty()) part.level = 0;
  while (part.last.size() > kMost / 2) {
    ++part.level;
    std::erase_if(part.last, [&](const auto& one) { return !kept(part, one.first); });
  }
}

void RecentPeople::seen(std::uint16_t partition, std::string_view user, UnixMillis log_time) {
  Part& part = *parts_[partition];
  const auto hash = XXH3_64bits(user.data(), user.size());
  const std::lock_guard lock(part.mutex);
  if (!kept(part, hash)) return;
  if (part.last.size() >= kMost && !part.last.contains(hash)) {
    make_room(part, log_time);
    if (!kept(part, hash)) return;
  }
  auto& last = part.last[hash];
  last = std::max(last, log_time);
}

void RecentPeople::forget(std::uint16_t partition, std::string_view user) {
  Part& part = *parts_[partition];
  const std::lock_guard lock(part.mutex);
  part.last.erase(XXH3_64bits(user.data(), user.size()));
}

std::size_t RecentPeople::count(UnixMillis now) const {
  std::size_t total = 0;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    const auto seen = std::count_if(part->last.begin(), part->last.end(),
                                    [&](const auto& one) { return one.second > now - kWindowMs; });
    total += static_cast<std::size_t>(seen) << part->level;
  }
  return total;
}

}  // namespace millrace::processors
