#include "serving/media/upload.h"

#include <cstdint>
#include <utility>

namespace millrace::serving {

Upload::Upload(std::unique_ptr<MediaFile> file, WorkThread& disk)
    : file_(std::move(file)), disk_(disk) {}

std::shared_ptr<Upload> Upload::begin(std::unique_ptr<MediaFile> file, WorkThread& disk) {
  const auto let_go = [](Upload* upload) {
    upload->disk_.submit([upload](bool) { delete upload; }, SIZE_MAX);
  };
  return {new Upload(std::move(file), disk), let_go};
}

bool Upload::write(std::string bytes, std::function<void()> ready) {
  bytes_ += bytes.size();
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return true;
    waiting_ += bytes.size();
    more = waiting_ < kWindow;
    if (!more) ready_ = std::move(ready);
  }
  // No queue is too long: what waits of each upload is bounded, and so are they.
  disk_.submit([self = shared_from_this(),
                bytes = std::move(bytes)](bool stopping) { self->append(bytes, stopping); },
               SIZE_MAX);
  return more;
}

std::optional<Error> Upload::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Upload::append(const std::string& bytes, bool stopping) {
  Status written;
  if (stopping) {
    written = fail(Code::kUnavailable, "the server is stopping");
  } else {
    written = file_->append(bytes);
  }
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    if (!written && !failure_) failure_ = written.error();
    waiting_ -= bytes.size();
    if (failure_ || waiting_ <= kWindow / 2) ready.swap(ready_);
  }
  if (ready) ready();
}

void Upload::finish(std::function<void(Result<MediaFile*>)> then) {
  disk_.submit(
      [self = shared_from_this(), then = std::move(then)](bool stopping) {
        if (stopping) return then(fail(Code::kUnavailable, "the server is stopping"));
        if (const auto failure = self->failure()) return then(tl::unexpected<Error>(*failure));
        const auto checked = self->file_->check();
        if (!checked) return then(tl::unexpected<Error>(checked.error()));
        then(self->file_.get());
      },
      SIZE_MAX);
}

}  // namespace millrace::serving
