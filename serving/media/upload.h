#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serving/media/media_store.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

// A file on its way to the disk, written by another thread than the one that receives it, whose are
// its methods. Whoever lets go of an upload need not wait for its file to be removed or closed.
class Upload : public std::enable_shared_from_this<Upload> {
 public:
  static constexpr std::size_t kWindow = 256 * 1024;  // bytes that wait; then more must

  // `disk` must outlive the upload.
  static std::shared_ptr<Upload> begin(std::unique_ptr<MediaFile> file, WorkThread& disk);

  // False: enough wait. `ready` is called, from the disk's thread, once half of them are written;
  // at once when writing has failed.
  bool write(std::string bytes, std::function<void()> ready);
  std::uint64_t bytes() const { return bytes_; }  // that came
  std::optional<Error> failure() const;           // of writing
  // Behind the last byte: `then` on the disk's thread, with the file checked, not yet committed.
  void finish(std::function<void(Result<MediaFile*>)> then);

 private:
  Upload(std::unique_ptr<MediaFile> file, WorkThread& disk);
  void append(const std::string& bytes, bool stopping);

  std::unique_ptr<MediaFile> file_;  // the disk thread's
  WorkThread& disk_;
  std::uint64_t bytes_ = 0;
  mutable std::mutex mutex_;
  std::size_t waiting_ = 0;
  std::function<void()> ready_;
  std::optional<Error> failure_;
};

}  // namespace millrace::serving
