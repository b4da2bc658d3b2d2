#pragma once
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "state/partition_store.h"

namespace millrace::state {

// The dead letters' part of a commit.
struct FrozenLetters {
  std::vector<DeadLetter> added;
  std::vector<std::string> erased;  // users whose letters of earlier commits go
};

// Dead letters on their way to RocksDB, and those that are there. Thread-safe; add, erase and
// freeze are the writer's.
class DeadLetters {
 public:
  explicit DeadLetters(const Db& db) : db_(db) {}

  void add(DeadLetter letter);
  void erase(std::string_view user);
  bool dirty() const;
  FrozenLetters freeze();
  void mark_written(const FrozenLetters& letters);
  Result<std::vector<DeadLetter>> read(Offset from, std::size_t limit) const;

 private:
  const Db& db_;
  mutable std::mutex lock_;
  std::map<Offset, DeadLetter> pending_;  // not known to be in RocksDB
  std::map<std::string, int, std::less<>>
      hidden_;                       // erased: what RocksDB has of them does not count
  std::vector<Offset> added_;        // since the last freeze
  std::vector<std::string> erased_;  // since the last freeze
};

}  // namespace millrace::state
