#include "state/catalog_numbers.h"

#include "state/catalog_keys.h"

namespace millrace::state {

std::uint64_t CatalogNumbers::highest(std::string_view kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = highest_.find(kind);
  return found == highest_.end() ? 0 : found->second;
}

void CatalogNumbers::raise(const std::string& kind, std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    std::uint64_t& top = highest_[kind];
    if (number <= top) return;
    top = number;
  }
  rows_.put(catalog_keys::of(catalog_keys::kHighest, kind), catalog_keys::big_endian(number));
}

std::uint64_t CatalogNumbers::mint(const std::string& kind) {
  const auto number = highest(kind) + 1;
  raise(kind, number);
  return number;
}

void CatalogNumbers::restore(std::string_view kind, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  highest_[std::string(kind)] = number;
}

}  // namespace millrace::state
