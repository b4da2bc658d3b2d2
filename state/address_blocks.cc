#include "state/address_blocks.h"

#include <algorithm>
#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "schemas/stored_message.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::string key_of(const AddressRange& range) {
  std::string key = keys::of(keys::kBlock);
  key.append(range.first.bytes.begin(), range.first.bytes.end());
  return key + static_cast<char>(range.bits);
}

}  // namespace

const Block* BlocksView::find(const Address& address, UnixMillis now) const {
  for (std::size_t bits = lengths_.size(); bits-- > 0;) {
    if (!lengths_[bits]) continue;
    const auto length = static_cast<std::uint8_t>(bits);
    const auto found = blocks_.find(AddressRange{masked(address, length), length});
    if (found != blocks_.end() && found->second.holds(now)) return &found->second;
  }
  return nullptr;
}

void AddressBlocks::put(Block block) {
  shared_.reset();
  const auto range = block.range;
  const bool fresh = now_.blocks_.insert_or_assign(range, std::move(block)).second;
  if (fresh && ++ranges_.at(range.bits) == 1) now_.lengths_.set(range.bits);
}

void AddressBlocks::erase(const AddressRange& range) {
  shared_.reset();
  now_.blocks_.erase(range);
  if (--ranges_.at(range.bits) == 0) now_.lengths_.reset(range.bits);
  rows_.erase(key_of(range));
}

void AddressBlocks::drop_expired(UnixMillis log_time) {
  std::vector<AddressRange> expired;
  for (const auto& [range, block] : now_.blocks_) {
    if (!block.holds(log_time)) expired.push_back(range);
  }
  for (const auto& range : expired) erase(range);
}

// The one that ends first; false: there is none.
bool AddressBlocks::drop_an_automatic_one() {
  const auto& blocks = now_.blocks_;
  auto first = blocks.end();
  for (auto at = blocks.begin(); at != blocks.end(); ++at) {
    if (!at->second.automatic || at->second.until == 0) continue;
    if (first == blocks.end() || at->second.until < first->second.until) first = at;
  }
  if (first == blocks.end()) return false;
  const AddressRange range = first->first;
  erase(range);
  return true;
}

CommandVerdict AddressBlocks::apply(const BlockAddress& block, UnixMillis log_time) {
  drop_expired(log_time);
  const bool known = now_.blocks_.contains(block.range);
  const bool full = !known && now_.blocks_.size() >= kMaxBlocks;
  if (full && (block.automatic || !drop_an_automatic_one())) return {CommandOutcome::kFull};
  put({block.range, block.reason, log_time, block.until, block.automatic});
  proto::BlockRow row;
  row.set_reason(block.reason);
  row.set_since_ms(log_time);
  row.set_until_ms(block.until);
  row.set_automatic(block.automatic);
  rows_.put(key_of(block.range), row.SerializeAsString());
  return {known ? CommandOutcome::kReplaced : CommandOutcome::kCreated};
}

CommandVerdict AddressBlocks::apply(const UnblockAddress& gone) {
  if (!now_.blocks_.contains(gone.range)) return {CommandOutcome::kNotFound};
  erase(gone.range);
  return {CommandOutcome::kDeleted};
}

std::shared_ptr<const BlocksView> AddressBlocks::view() {
  if (!shared_) shared_ = std::make_shared<const BlocksView>(now_);
  return shared_;
}

Status AddressBlocks::restore(std::string_view key, std::string_view row) {
  proto::BlockRow message;
  AddressRange range;
  if (key.size() != range.first.bytes.size() + 2 || !parse_message(message, row)) {
    return corrupt_bytes("blocked address");
  }
  std::copy_n(key.begin() + 1, range.first.bytes.size(), range.first.bytes.begin());
  range.bits = static_cast<std::uint8_t>(key.back());
  if (range.bits > 128) return corrupt_bytes("blocked address");
  put({range, message.reason(), message.since_ms(), message.until_ms(), message.automatic()});
  return {};
}

}  // namespace millrace::state
