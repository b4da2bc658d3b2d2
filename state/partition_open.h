#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "state/commit.h"
#include "state/duplicates.h"
#include "state/items.h"
#include "state/rocks.h"

namespace millrace::state {

// The version of what RocksDB holds (state/KEYS.md).
inline constexpr int kPartitionFormat = 1;

// Writes the format row into a new database; kInvalid for a newer format, kCorrupt for none.
Status check_format(Db& db, Db::Mode mode);

// What opening fills.
struct OpenParts {
  const Db& db;
  Items& items;
  Duplicates& duplicates;
  Attribution& attribution;
  Attribution& recent;
  TrialSums& trials;
  CommitWriter& writer;
};
struct StoredPosition {
  Applied applied;
  Ruleset ruleset;
};
Result<StoredPosition> restore(const OpenParts& parts);

// Every committed person, in key order. `writes` is odd while a commit lands, and moves with each.
Status each_committed_person(
    const Db& db, const std::atomic<std::uint64_t>& writes,
    const std::function<bool(std::string_view user, const Person&)>& visit);

}  // namespace millrace::state
