#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::state {

// What all databases of a process share: one block cache and one bound on write buffers, both
// charged to the memory budget, and one rate limiter for flush and compaction (an unthrottled flush
// beside the log spoils fsync's p99).
class RocksShared {
 public:
  struct Options {
    std::size_t cache_bytes = 32u << 20;
    std::size_t write_buffer_bytes = 64u << 20;
    std::size_t background_bytes_per_s = 256u << 20;
    bool in_memory = false;  // for tests: no files, databases last as long as this
  };
  explicit RocksShared(Options options);
  ~RocksShared();
  struct Impl;
  const Impl& impl() const { return *impl_; }
  std::size_t memory_bytes() const;  // cache and write buffers in use

 private:
  std::unique_ptr<Impl> impl_;
};

// Changes that become visible and survive together.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  explicit WriteBatch(std::string_view recorded);  // what Db::on_write was given
  WriteBatch& operator=(WriteBatch&&) noexcept;
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  std::size_t bytes() const;
  std::size_t count() const;
  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct DbFigures {
  std::uint64_t stall_micros = 0;
  std::uint64_t pending_compaction_bytes = 0;
  std::uint64_t level0_files = 0;
  std::uint64_t background_errors = 0;
  std::uint64_t disk_bytes = 0;
};

// One RocksDB: the only way to it. Keys are bytes in order (state/keys.h). Thread-safe.
class Db {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // Creates the database when there is none (not read-only). kCorrupt, kIo.
  static Result<std::unique_ptr<Db>> open(const std::string& directory, const RocksShared& shared,
                                          Mode mode = Mode::kReadWrite);
  ~Db();

  Result<std::optional<std::string>> get(std::string_view key) const;
  // One round for all keys, answers in their order. Keys need not be sorted.
  Result<std::vector<std::optional<std::string>>> multi_get(
      std::span<const std::string> keys) const;
  // Every row whose key starts with `prefix`, from `from` on (a key; empty: from the start),
  // ascending, until `visit` answers false.
  Status scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  // WAL on, not synced: kill -9 loses nothing, a power cut loses a suffix together with its
  // position. After a failed write every further one fails: reopen (research/streaming.md 5.2, disk
  // full).
  Status write(const WriteBatch& batch);
  // Closes and opens again: after a failed write, when its cause is gone. Reads wait meanwhile. No
  // scan may be under way on the calling thread.
  Status reopen();
  // Shows every batch's bytes, right before it is written; an error fails the write, as a full disk
  // does. Set before the first write.
  void on_write(std::function<Status(std::string_view batch)> observer);
  Status sync_wal();
  // Flushes and hard-links a consistent copy into `directory`, which must not exist; fsyncs it.
  Status checkpoint(const std::string& directory);
  DbFigures figures() const;

 private:
  struct Impl;
  explicit Db(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::state
