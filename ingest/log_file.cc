#include "ingest/log_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace millrace::ingest {
namespace {

tl::unexpected<Error> io_error(std::string_view what, const std::string& path, int error) {
  Code code = Code::kIo;
  if (error == ENOSPC || error == EDQUOT) code = Code::kExhausted;
  if (error == ENOENT) code = Code::kNotFound;
  if (error == EWOULDBLOCK) code = Code::kConflict;
  return fail(code, path + ": " + std::string(what) + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return io_error("open", path, errno);
  return Descriptor(fd);
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<char> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto n = ::pread(fd_.get(), into.data() + done, into.size() - done,
                             static_cast<off_t>(position + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return io_error("read", path_, errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Status write_at(std::uint64_t position, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(position));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return io_error("write", path_, errno);
      if (n == 0) return io_error("write", path_, ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      position += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  // Not repeated after a failure: the kernel may by then have dropped the pages and report success.
  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return io_error("fdatasync", path_, errno);
    return {};
  }

  Status truncate(std::uint64_t length) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(length)) != 0) {
      return io_error("truncate", path_, errno);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return io_error("stat", path_, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  std::string path_;
  Descriptor fd_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, FileMode mode) override {
    int flags = O_RDONLY;
    if (mode == FileMode::kReadWrite) flags = O_RDWR;
    if (mode == FileMode::kCreateNew) flags = O_RDWR | O_CREAT | O_EXCL;
    MILLRACE_TRY(Descriptor fd, open_descriptor(path, flags));
    return std::make_unique<PosixFile>(path, std::move(fd));
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator it(directory, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return io_error("list", directory, error.value());
    return names;
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return io_error("remove", path, errno);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return io_error("rename", from, errno);
    return {};
  }

  Status create_directories(const std::string& directory) override {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return io_error("create", directory, error.value());
    // The new name is durable only with its parent.
    const auto parent = std::filesystem::absolute(directory).lexically_normal().parent_path();
    return sync_directory(parent.string());
  }

  Status sync_directory(const std::string& directory) override {
    MILLRACE_TRY(const Descriptor fd, open_descriptor(directory, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) return io_error("fsync", directory, errno);
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path, LockMode mode) override {
    const bool exclusive = mode == LockMode::kExclusive;
    MILLRACE_TRY(Descriptor fd, open_descriptor(path, exclusive ? O_RDWR | O_CREAT : O_RDONLY));
    if (::flock(fd.get(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
      return io_error("lock", path, errno);
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }

  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs info {};
    if (::statvfs(directory.c_str(), &info) != 0) return io_error("statvfs", directory, errno);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }
};

}  // namespace

std::unique_ptr<FileSystem> posix_file_system() { return std::make_unique<PosixFileSystem>(); }

}  // namespace millrace::ingest
