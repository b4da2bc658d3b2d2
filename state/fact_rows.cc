#include "state/fact_rows.h"

namespace millrace::state {

void FactRows::put(std::string key, std::string value) {
  const Digest digest = row_digest(key, value);
  if (Digest& kept = digests_[key]; !(kept == digest)) {
    sum_ -= kept;
    sum_ += digest;
    kept = digest;
  }
  changed_[std::move(key)] = std::move(value);
}

void FactRows::erase(const std::string& key) {
  const auto kept = digests_.find(key);
  if (kept == digests_.end()) return;
  sum_ -= kept->second;
  digests_.erase(kept);
  changed_[key] = std::nullopt;
}

void FactRows::append(std::string key, std::string value) {
  sum_ += row_digest(key, value);
  changed_[std::move(key)] = std::move(value);
}

void FactRows::restore(std::string_view key, std::string_view value) {
  const Digest digest = row_digest(key, value);
  sum_ += digest;
  digests_.emplace(key, digest);
}

void FactRows::restore_appended(std::string_view key, std::string_view value) {
  sum_ += row_digest(key, value);
}

}  // namespace millrace::state
