#include "state/items.h"

#include <algorithm>

#include "base/prefetch.h"

namespace millrace::state {
namespace {

std::uint32_t chunk_of(ItemNumber item) {
  return static_cast<std::uint32_t>(item / kItemsPerChunk);
}

}  // namespace

ItemNumber Items::enter(ItemIndex index) {
  const ItemNumber number = size();
  indexes_.push_back(index);
  if (index >= numbers_.size()) numbers_.resize(std::size_t{index} + 1, kNoItem);
  numbers_[index] = number;
  touched_.push_back(0);
  return number;
}

void Items::restore_name(std::string_view item) {
  enter(names_.intern(item));
  frozen_count_ = size();
}

Status Items::restore_chunk(std::uint32_t number, std::shared_ptr<ItemChunk> chunk) {
  for (std::size_t i = 0; i < kItemsPerChunk; ++i) {
    const std::uint64_t item = std::uint64_t{number} * kItemsPerChunk + i;
    if (item < size()) {
      cells_.store(indexes_[item], chunk->items[i]);
    } else if (!(chunk->items[i] == ItemStats{})) {
      return fail(Code::kCorrupt, "stored statistics of an item that has no name");
    }
  }
  if (std::uint64_t{number} * kItemsPerChunk >= size()) return {};
  if (number >= chunks_.size()) {
    chunks_.resize(std::size_t{number} + 1);
    dirty_.resize(chunks_.size());
  }
  chunk_bytes_ += sizeof(ItemChunk);
  chunks_[number] = std::move(chunk);
  return {};
}

ItemNumber Items::number_of(std::string_view item) {
  const ItemIndex index = names_.intern(item);
  if (index < numbers_.size() && numbers_[index] != kNoItem) return numbers_[index];
  return enter(index);
}

std::optional<ItemNumber> Items::expect(std::string_view item) const {
  const auto index = names_.find(item);
  if (!index || *index >= numbers_.size() || numbers_[*index] == kNoItem) return std::nullopt;
  const ItemNumber number = numbers_[*index];
  const std::uint32_t chunk = chunk_of(number);
  if (chunk < chunks_.size() && chunks_[chunk]) {
    prefetch(&chunks_[chunk]->items[number % kItemsPerChunk], sizeof(ItemStats));
  }
  return number;
}

ItemStats& Items::change(ItemNumber item) {
  const std::uint32_t number = chunk_of(item);
  if (number >= chunks_.size()) {
    chunks_.resize(std::size_t{number} + 1);
    dirty_.resize(chunks_.size());
  }
  auto& chunk = chunks_[number];
  if (dirty_[number] == 0) {
    // A commit may still be reading the chunk that it froze.
    if (!chunk) chunk_bytes_ += sizeof(ItemChunk);
    chunk = chunk ? std::make_shared<ItemChunk>(*chunk) : std::make_shared<ItemChunk>();
    dirty_[number] = 1;
    dirty_chunks_.push_back(number);
  }
  if (touched_[item] == 0) {
    touched_[item] = 1;
    touched_items_.push_back(item);
  }
  return chunk->items[item % kItemsPerChunk];
}

std::vector<ItemIndex> Items::publish() {
  std::vector<ItemIndex> changed;
  changed.reserve(touched_items_.size());
  for (const ItemNumber item : touched_items_) {
    touched_[item] = 0;
    const ItemIndex index = indexes_[item];
    cells_.store(index, chunks_[chunk_of(item)]->items[item % kItemsPerChunk]);
    changed.push_back(index);
  }
  touched_items_.clear();
  return changed;
}

std::size_t Items::dirty_bytes() const {
  return dirty_chunks_.size() * kItemsPerChunk * 48 + (size() - frozen_count_) * 16;
}

FrozenItems Items::freeze() {
  FrozenItems frozen{{}, frozen_count_, size()};
  frozen.chunks.reserve(dirty_chunks_.size());
  for (const std::uint32_t number : dirty_chunks_) {
    frozen.chunks.emplace_back(number, chunks_[number]);
    dirty_[number] = 0;
  }
  dirty_chunks_.clear();
  frozen_count_ = size();
  return frozen;
}

ItemIndex Items::index_of(ItemNumber item) const {
  return item < indexes_.size() ? indexes_[item] : kNoItem;
}

std::string_view Items::name(ItemNumber item) const { return names_.name(indexes_[item]); }

std::size_t Items::memory_bytes() const {
  return chunk_bytes_ + cells_.memory_bytes() + indexes_.size() * 16;
}

}  // namespace millrace::state
