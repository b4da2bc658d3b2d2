#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "state/digest.h"

namespace millrace::state {

// The catalog's changed rows on their way to RocksDB, and the digest of its facts. The writer's
// alone.
class FactRows {
 public:
  // The newest of each key; nothing: to be deleted.
  using Rows = std::map<std::string, std::optional<std::string>, std::less<>>;

  // A fact that may change again.
  void put(std::string key, std::string value);
  void erase(const std::string& key);
  // A fact that never changes.
  void append(std::string key, std::string value);
  // A row that is no fact; nothing: deleted.
  void set_other(std::string key, std::optional<std::string> value) {
    changed_[std::move(key)] = std::move(value);
  }
  // On opening: a stored fact, `put` or appended.
  void restore(std::string_view key, std::string_view value);
  void restore_appended(std::string_view key, std::string_view value);
  void set_sum(const Digest& sum) { sum_ = sum; }

  const Digest& sum() const { return sum_; }  // of the facts, with everything applied
  Rows take_changed() { return std::exchange(changed_, {}); }
  std::size_t memory_bytes() const { return digests_.size() * 80; }  // about

 private:
  Rows changed_;  // since they were last taken
  Digest sum_;
  std::unordered_map<std::string, Digest> digests_;  // by key, of each fact that may change
};

}  // namespace millrace::state
