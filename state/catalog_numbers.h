#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "state/fact_rows.h"

namespace millrace::state {

// The highest number ever in use of each kind: what is minted lies above it, and is never minted
// again. Kinds of items are as their ids have them; others begin with a colon. One thread changes,
// any reads.
class CatalogNumbers {
 public:
  explicit CatalogNumbers(FactRows& rows) : rows_(rows) {}

  std::uint64_t highest(std::string_view kind) const;  // 0: none
  void raise(const std::string& kind, std::uint64_t number);
  std::uint64_t mint(const std::string& kind);
  void restore(std::string_view kind, std::uint64_t number);  // on opening

 private:
  FactRows& rows_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> highest_;
};

}  // namespace millrace::state
