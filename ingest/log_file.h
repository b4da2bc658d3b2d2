#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

// The file operations the embedded log rests on, so that tests can cut the power between any two.
// Errors: kExhausted no space left, kNotFound no such file, kConflict held by another process, kIo
// anything else; `detail` names the path. Reading one File from several threads is safe.
class File {
 public:
  virtual ~File() = default;
  // Fewer bytes than asked only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t position, std::span<char> into) const = 0;
  // After a failure any part of `bytes` may have been written.
  virtual Status write_at(std::uint64_t position, std::string_view bytes) = 0;
  virtual Status sync() = 0;  // fdatasync: the bytes and the length are durable
  virtual Status truncate(std::uint64_t length) = 0;
  virtual Result<std::uint64_t> size() const = 0;
};

// Held until destroyed; the system lets go of it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class FileMode { kRead, kReadWrite, kCreateNew };
enum class LockMode { kShared, kExclusive };

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, FileMode mode) = 0;
  virtual Result<std::vector<std::string>> list(
      const std::string& directory) = 0;  // names, any order
  virtual Status remove(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // within a directory
  virtual Status create_directories(const std::string& directory) = 0;
  virtual Status sync_directory(const std::string& directory) = 0;
  // An exclusive lock creates the file; a shared one of a file that is not there is kNotFound.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

// The machine's own files.
std::unique_ptr<FileSystem> posix_file_system();

}  // namespace millrace::ingest
