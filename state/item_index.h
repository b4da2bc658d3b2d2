#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/chunked_vector.h"

namespace millrace::state {

// Dense index of an item within this process, over all partitions and the catalog: for columns and
// cells. Not a fact: another process may number otherwise.
using ItemIndex = std::uint32_t;
inline constexpr ItemIndex kNoItem = UINT32_MAX;

// Names <-> dense indexes, growing only. Thread-safe.
class NameTable {
 public:
  NameTable();
  ~NameTable();
  std::uint32_t intern(std::string_view name);                     // the existing or the next index
  std::optional<std::uint32_t> find(std::string_view name) const;  // nothing when never interned
  std::string_view name(std::uint32_t index) const;                // valid as long as the table
  std::uint32_t size() const;                                      // indexes [0, size) are named
  std::size_t memory_bytes() const;                                // about

 private:
  struct Shard;
  static constexpr std::size_t kShards = 64;  // by the upper six bits of the hash
  std::unique_ptr<std::array<Shard, kShards>> shards_;
  std::mutex grow_;
  ChunkedVector<std::string> names_;
};

// Names that the catalog uses, interned for the life of the process. Thread-safe.
struct CatalogNames {
  NameTable kinds, categories, tags;
};

}  // namespace millrace::state
