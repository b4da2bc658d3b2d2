#include "processors/views/fatigue.h"

#include <algorithm>
#include <iterator>

namespace millrace::processors {

Fatigue::Fatigue(std::size_t partitions, std::size_t bytes)
    : bytes_of_part_(bytes / std::max<std::size_t>(partitions, 1)) {
  for (std::size_t p = 0; p < partitions; ++p) parts_.push_back(std::make_unique<Part>());
}

std::size_t Fatigue::bytes_of(const Person& person) {
  constexpr std::size_t kOfPerson = sizeof(Person) + 96;  // with the nodes of list and map
  return kOfPerson + person.user.capacity() + person.items.capacity() * sizeof(Shown);
}

void Fatigue::drop(Part& part, People::iterator person) {
  part.bytes -= bytes_of(*person);
  part.at.erase(person->user);
  part.people.erase(person);
}

void Fatigue::shown(std::uint16_t partition, std::string_view user,
                    std::span<const state::ItemIndex> items, UnixMillis log_time) {
  Part& part = *parts_[partition];
  const std::lock_guard lock(part.mutex);
  const auto found = part.at.find(user);
  if (found == part.at.end()) {
    part.people.push_back({std::string(user), {}});
    part.at.emplace(part.people.back().user, std::prev(part.people.end()));
  } else {
    part.bytes -= bytes_of(*found->second);
    part.people.splice(part.people.end(), part.people, found->second);
  }
  auto& kept = part.people.back().items;
  for (const auto item : items) {
    if (item == state::kNoItem) continue;
    const auto at = std::find_if(kept.begin(), kept.end(),
                                 [item](const Shown& one) { return one.item == item; });
    Shown now{item, 1, log_time};
    if (at != kept.end()) {
      now.times += at->times;
      kept.erase(at);
    } else if (kept.size() == kMostItems) {
      kept.erase(kept.begin());
    }
    kept.push_back(now);
  }
  part.bytes += bytes_of(part.people.back());
  while (part.bytes > bytes_of_part_ && !part.people.empty()) {
    drop(part, part.people.begin());
    ++part.dropped;
  }
}

void Fatigue::acted(std::uint16_t partition, std::string_view user, state::ItemIndex item) {
  Part& part = *parts_[partition];
  const std::lock_guard lock(part.mutex);
  const auto found = part.at.find(user);
  if (found == part.at.end()) return;
  std::erase_if(found->second->items, [item](const Shown& one) { return one.item == item; });
}

void Fatigue::forget(std::uint16_t partition, std::string_view user) {
  Part& part = *parts_[partition];
  const std::lock_guard lock(part.mutex);
  if (const auto found = part.at.find(user); found != part.at.end()) drop(part, found->second);
}

std::vector<Fatigue::Shown> Fatigue::of(std::uint16_t partition, std::string_view user) const {
  const Part& part = *parts_[partition];
  const std::lock_guard lock(part.mutex);
  const auto found = part.at.find(user);
  return found == part.at.end() ? std::vector<Shown>() : found->second->items;
}

std::size_t Fatigue::people() const {
  std::size_t sum = 0;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    sum += part->people.size();
  }
  return sum;
}

std::size_t Fatigue::memory_bytes() const {
  std::size_t sum = 0;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    sum += part->bytes;
  }
  return sum;
}

std::size_t Fatigue::dropped() const {
  std::size_t sum = 0;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    sum += part->dropped;
  }
  return sum;
}

}  // namespace millrace::processors
