#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ingest/log_file.h"

namespace millrace {

// Files in memory that know what a power cut may leave of them: what was synced for certain, of the
// rest any part. Every mutating call counts as one step. Thread-safe.
class FaultyFiles final : public ingest::FileSystem {
 public:
  FaultyFiles();
  ~FaultyFiles() override;

  // The step with this number from now on is cut short, and everything after it fails.
  void cut_power_after(int steps);
  bool power_is_cut() const;
  // What the disk holds after the cut, drawn from `random`; works again from here.
  void restart(std::mt19937_64& random);

  void limit_space(std::uint64_t bytes);  // of all files together
  void fail_syncs();                      // each from now on, with kIo; nothing becomes durable
  void fail_writes();                     // each from now on, with kIo and half of it written
  void hold_syncs();                      // each waits until release_syncs()
  void release_syncs();
  std::size_t syncs() const;

  // Direct access, for damage and for looking.
  std::vector<std::string> names() const;  // full paths in order
  std::string bytes(const std::string& path) const;
  void put(const std::string& path, std::string bytes);  // durable at once
  void take_away(const std::string& path);

  Result<std::unique_ptr<ingest::File>> open(const std::string& path,
                                             ingest::FileMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status create_directories(const std::string& directory) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<ingest::FileLock>> lock(const std::string& path,
                                                 ingest::LockMode mode) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

 private:
  struct Write {
    std::uint64_t position;
    std::string bytes;
  };
  struct Truncate {
    std::uint64_t length;
  };
  struct Node {
    std::string bytes;
    std::string synced;
    std::vector<std::variant<Write, Truncate>> since_sync;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct State;
  class Handle;
  class Lock;

  std::shared_ptr<State> state_;
};

}  // namespace millrace
