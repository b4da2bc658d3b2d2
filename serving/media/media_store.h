#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "serving/media/mp4.h"

namespace millrace::serving {

struct MediaOptions {
  std::string directory;
  std::uint64_t max_file_bytes = 52'428'800;
  std::uint64_t max_bytes = std::uint64_t{10} << 30;  // of all files together
  std::uint32_t max_uploads = 64;                     // at once
  std::string ffmpeg = "ffmpeg";                      // for posters; not there: none are made
};

class MediaStore;

// A file that is being written, under a temporary name, from its first bytes on. Gone with this
// object unless committed. One thread at a time; making one does not wait for the disk.
class MediaFile {
 public:
  ~MediaFile();
  MediaFile(const MediaFile&) = delete;
  MediaFile& operator=(const MediaFile&) = delete;

  Status append(std::string_view bytes);  // kUnavailable: there is no more room
  std::uint64_t bytes() const { return bytes_; }
  std::string digest() const;  // of what was appended
  Status check() const;        // check_mp4() of it
  Status commit();             // it is on the disk under its name

 private:
  friend class MediaStore;
  struct Hash;
  MediaFile(MediaStore& store, std::string name, std::uint64_t reserved);

  MediaStore& store_;
  const std::string name_;
  std::uint64_t reserved_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Hash> hash_;
  bool kept_ = false;
};

// The folder of media files. Thread-safe; all but create() waits for the disk.
class MediaStore {
 public:
  // Files under temporary names, which a crash left, are removed.
  static Result<std::unique_ptr<MediaStore>> open(const MediaOptions& options, Metrics& metrics);

  // kUnavailable when there is no room for `bytes`, of which no more may come.
  Result<std::unique_ptr<MediaFile>> create(const std::string& name, std::uint64_t bytes);
  bool has(const std::string& name) const;
  std::string path(const std::string& name) const;    // of the video
  std::string poster(const std::string& name) const;  // of its still picture
  void remove(const std::string& name);               // with its poster
  // Files that are none of these, and at least so old.
  void remove_all_but(const std::set<std::string>& names, std::chrono::seconds age);
  std::uint64_t used_bytes() const { return levels_->used; }  // with what is being written

 private:
  friend class MediaFile;
  MediaStore(const MediaOptions& options, Metrics& metrics);
  void count();

  // Shared with the scrape, which may come after this object is gone.
  struct Levels {
    std::atomic<std::uint64_t> used{0};
    std::atomic<std::int64_t> files{0};
  };

  const MediaOptions options_;
  const std::shared_ptr<Levels> levels_ = std::make_shared<Levels>();
};

}  // namespace millrace::serving
