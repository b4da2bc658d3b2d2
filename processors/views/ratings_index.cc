#include "processors/views/ratings_index.h"

#include <algorithm>
#include <utility>

namespace millrace::processors {
namespace {

// The rating of `user` in a block, or where it belongs.
template <class Block>
auto place_in(Block& block, std::uint32_t user) {
  return std::lower_bound(block.begin(), block.end(), user,
                          [](const Rating& rating, std::uint32_t u) { return rating.user < u; });
}

}  // namespace

// The last block that begins at or below `user`, else the first.
std::size_t RatingsIndex::block_for(const Blocks& blocks, std::uint32_t user) {
  const auto above =
      std::upper_bound(blocks.begin(), blocks.end(), user,
                       [](std::uint32_t u, const Block& block) { return u < block.front().user; });
  return above == blocks.begin() ? 0 : static_cast<std::size_t>(above - blocks.begin()) - 1;
}

void RatingsIndex::put(state::ItemIndex item, Rating rating) {
  Stripe& in = stripe(item);
  const std::lock_guard lock(in.mutex);
  const auto known = in.items.find(item);
  if (known != in.items.end()) {
    Block& block = known->second[block_for(known->second, rating.user)];
    const auto at = place_in(block, rating.user);
    if (at != block.end() && at->user == rating.user) {
      rating.created = at->created;
      *at = rating;
      return;
    }
  }
  if (memory_bytes() >= max_bytes_) {
    ++refused_;
    return;
  }
  ++held_;
  Blocks& blocks = in.items[item];
  if (blocks.empty()) {
    blocks.push_back({rating});
    return;
  }
  const auto number = block_for(blocks, rating.user);
  Block& block = blocks[number];
  block.insert(place_in(block, rating.user), rating);
  if (block.size() <= kMaxBlock) return;
  const auto half = block.begin() + kMaxBlock / 2;
  Block upper(half, block.end());
  block.erase(half, block.end());
  blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(number) + 1, std::move(upper));
}

void RatingsIndex::erase(state::ItemIndex item, std::uint32_t user) {
  Stripe& in = stripe(item);
  const std::lock_guard lock(in.mutex);
  const auto known = in.items.find(item);
  if (known == in.items.end()) return;
  Blocks& blocks = known->second;
  const auto number = block_for(blocks, user);
  Block& block = blocks[number];
  const auto at = place_in(block, user);
  if (at == block.end() || at->user != user) return;
  block.erase(at);
  --held_;
  if (block.empty()) blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(number));
  if (blocks.empty()) in.items.erase(known);
}

void RatingsIndex::clear() {
  for (Stripe& each : stripes_) {
    const std::lock_guard lock(each.mutex);
    each.items.clear();
  }
  held_ = 0;
  refused_ = 0;
}

std::uint32_t RatingsIndex::count(state::ItemIndex item) const {
  const Stripe& in = stripe(item);
  const std::lock_guard lock(in.mutex);
  const auto known = in.items.find(item);
  std::size_t count = 0;
  if (known != in.items.end()) {
    for (const Block& block : known->second) count += block.size();
  }
  return static_cast<std::uint32_t>(count);
}

std::optional<Rating> RatingsIndex::find(state::ItemIndex item, std::uint32_t user) const {
  const Stripe& in = stripe(item);
  const std::lock_guard lock(in.mutex);
  const auto known = in.items.find(item);
  if (known == in.items.end()) return std::nullopt;
  const Block& block = known->second[block_for(known->second, user)];
  const auto at = place_in(block, user);
  return at == block.end() || at->user != user ? std::nullopt : std::optional(*at);
}

std::vector<Rating> RatingsIndex::page(state::ItemIndex item, std::size_t from,
                                       std::size_t limit) const {
  std::vector<Rating> out;
  const Stripe& in = stripe(item);
  const std::lock_guard lock(in.mutex);
  const auto known = in.items.find(item);
  if (known == in.items.end()) return out;
  for (const Block& block : known->second) {
    for (std::size_t i = std::min(from, block.size()); i < block.size(); ++i) {
      if (out.size() == limit) return out;
      out.push_back(block[i]);
    }
    from -= std::min(from, block.size());
  }
  return out;
}

}  // namespace millrace::processors
