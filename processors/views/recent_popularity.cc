#include "processors/views/recent_popularity.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace millrace::processors {

RecentPopularity::RecentPopularity(std::size_t partitions) {
  for (std::size_t i = 0; i < partitions; ++i) parts_.push_back(std::make_unique<Part>());
}

Offset RecentPopularity::length_of(Offset end) {
  const auto share = static_cast<Offset>(kShare * static_cast<double>(end));
  return std::min(end, std::clamp(share, kLeast, kMost));
}

// Subtracts by the two's complement.
void RecentPopularity::change(state::ItemIndex item, std::uint32_t by) {
  if (item >= counts_.size()) {
    const std::lock_guard lock(grow_);
    counts_.grow_to(item + std::size_t{1});
  }
  counts_[item].fetch_add(by, std::memory_order_relaxed);
}

void RecentPopularity::took(std::uint16_t partition, Offset offset, std::string_view user,
                            state::ItemIndex item) {
  Part& part = *parts_[partition];
  const Offset end = offset + 1;
  const std::lock_guard lock(part.mutex);
  part.window.push_back({offset, XXH3_64bits(user.data(), user.size()), item});
  change(item, 1);
  while (part.window.front().offset < end - length_of(end)) {
    change(part.window.front().item, ~0u);
    part.window.pop_front();
  }
  part.end.store(end, std::memory_order_relaxed);
}

void RecentPopularity::forget(std::uint16_t partition, std::string_view user) {
  Part& part = *parts_[partition];
  const auto hash = XXH3_64bits(user.data(), user.size());
  const std::lock_guard lock(part.mutex);
  std::erase_if(part.window, [&](const Taken& one) {
    if (one.user != hash) return false;
    change(one.item, ~0u);
    return true;
  });
}

std::uint32_t RecentPopularity::count(state::ItemIndex item) const {
  return item < counts_.size() ? counts_[item].load(std::memory_order_relaxed) : 0;
}

double RecentPopularity::share() const {
  Offset all = 0, windows = 0;
  for (const auto& part : parts_) {
    const Offset end = part->end.load(std::memory_order_relaxed);
    all += end;
    windows += length_of(end);
  }
  return all > 0 ? static_cast<double>(windows) / static_cast<double>(all) : 1;
}

std::size_t RecentPopularity::memory_bytes() const {
  std::size_t bytes = counts_.size() * sizeof(std::uint32_t);
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    bytes += part->window.size() * sizeof(Taken);
  }
  return bytes;
}

}  // namespace millrace::processors
