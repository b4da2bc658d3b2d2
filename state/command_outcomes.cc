#include "state/command_outcomes.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace millrace::state {

CommandOutcomes::Hash CommandOutcomes::hash(std::string_view command_id) {
  const XXH128_hash_t sum = XXH3_128bits(command_id.data(), command_id.size());
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, sum);
  Hash out;
  static_assert(sizeof(bytes.digest) == sizeof(out));
  std::memcpy(out.data(), bytes.digest, out.size());
  return out;
}

std::size_t CommandOutcomes::HashOf::operator()(const Hash& hash) const {
  std::size_t out = 0;
  std::memcpy(&out, hash.data(), sizeof(out));
  return out;
}

std::optional<CommandVerdict> CommandOutcomes::find(const Hash& command) const {
  const auto found = outcomes_.find(command);
  if (found == outcomes_.end()) return std::nullopt;
  return found->second;
}

void CommandOutcomes::add(const Hash& command, CommandVerdict verdict) {
  if (!outcomes_.emplace(command, verdict).second) return;
  order_.push_back(command);
  if (order_.size() <= window_) return;
  outcomes_.erase(order_.front());
  order_.pop_front();
  ++first_;
}

}  // namespace millrace::state
