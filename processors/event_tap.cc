#include "processors/event_tap.h"

#include <utility>

namespace millrace::processors {
namespace {

std::size_t bytes_of(const TappedBatch& batch) {
  return batch.bytes.size() + batch.records.size() * sizeof(TappedBatch::Record);
}

}  // namespace

void EventTap::open(std::size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  max_bytes_ = max_bytes;
  open_ = true;
}

void EventTap::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  waiting_ = false;
  batches_.clear();
  bytes_ = missed_ = 0;
}

void EventTap::push(TappedBatch batch) {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  waiting_ = true;
  if (bytes_ + bytes_of(batch) > max_bytes_) {
    missed_ += batch.records.size();
    return;
  }
  bytes_ += bytes_of(batch);
  batches_.push_back(std::move(batch));
}

EventTap::Taken EventTap::take(const Publisher& publisher) {
  Taken taken;
  const std::lock_guard lock(mutex_);
  taken.missed = std::exchange(missed_, 0);
  std::vector<TappedBatch> rest;
  for (auto& batch : batches_) {
    const bool visible = publisher.visible({Topic::kInteractions, batch.partition}) >= batch.end;
    if (visible) bytes_ -= bytes_of(batch);
    (visible ? taken.batches : rest).push_back(std::move(batch));
  }
  batches_ = std::move(rest);
  waiting_ = !batches_.empty();
  return taken;
}

}  // namespace millrace::processors
