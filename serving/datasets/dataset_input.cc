#include "serving/datasets/dataset_input.h"

#include <utility>

namespace millrace::serving {

bool DatasetInput::push(std::string_view bytes, std::function<void()> ready) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes.size();
  if (!reading_) return true;
  waiting_bytes_ += bytes.size();
  waiting_.emplace_back(bytes);
  changed_.notify_one();
  if (waiting_bytes_ < kWindow) return true;
  ready_ = std::move(ready);
  return false;
}

void DatasetInput::set_type(DatasetType type) {
  const std::lock_guard lock(mutex_);
  type_ = type;
  changed_.notify_one();
}

void DatasetInput::close(bool whole) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  whole_ = whole;
  changed_.notify_one();
}

// With the lock held and something waiting. Lets go of the lock to say that there is room.
std::string DatasetInput::take(std::unique_lock<std::mutex>& lock) {
  auto bytes = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= bytes.size();
  if (waiting_bytes_ < kWindow / 2 && ready_) {
    const auto ready = std::exchange(ready_, nullptr);
    lock.unlock();
    ready();
    lock.lock();
  }
  return bytes;
}

std::optional<DatasetType> DatasetInput::type() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return type_ || closed_ || !waiting_.empty(); });
    if (type_ || waiting_.empty()) break;
    const auto bytes = take(lock);
    lock.unlock();
    if (!spooled_) spooled_.reset(std::tmpfile());
    const bool written =
        spooled_ && std::fwrite(bytes.data(), 1, bytes.size(), spooled_.get()) == bytes.size();
    lock.lock();
    if (!written) whole_ = false, closed_ = true;
  }
  if (spooled_) std::rewind(spooled_.get());
  return whole_ ? type_ : std::nullopt;
}

bool DatasetInput::whole() const {
  const std::lock_guard lock(mutex_);
  return whole_;
}

std::uint64_t DatasetInput::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void DatasetInput::stop_reading() {
  std::unique_lock lock(mutex_);
  reading_ = false;
  waiting_.clear();
  waiting_bytes_ = 0;
  const auto ready = std::exchange(ready_, nullptr);
  lock.unlock();
  if (ready) ready();
}

bool DatasetInput::next_spooled() {
  if (!spooled_) return false;
  piece_.resize(kPiece);
  piece_.resize(std::fread(piece_.data(), 1, piece_.size(), spooled_.get()));
  if (!piece_.empty()) return true;
  spooled_.reset();
  return false;
}

DatasetInput::int_type DatasetInput::underflow() {
  if (!next_spooled()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty() || !whole_) return traits_type::eof();
    piece_ = take(lock);
  }
  setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
  return traits_type::to_int_type(piece_.front());
}

}  // namespace millrace::serving
