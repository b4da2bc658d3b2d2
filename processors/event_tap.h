#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "processors/bell.h"
#include "processors/publisher.h"
#include "schemas/ids.h"
#include "state/item_index.h"

namespace millrace::processors {

// Events that one batch counted, in their order: no duplicates, no dead letters.
struct TappedBatch {
  struct Record {
    Offset offset = 0;
    state::ItemIndex item = state::kNoItem;
    std::uint32_t size = 0;  // of its part of `bytes`
  };
  std::uint16_t partition = 0;
  Offset end = 0;  // one past the batch's last record
  std::string bytes;
  std::vector<Record> records;

  void add(Offset offset, state::ItemIndex item, std::string_view record) {
    records.push_back({offset, item, static_cast<std::uint32_t>(record.size())});
    bytes += record;
  }
};

// Hands events on as they become visible, from the threads that apply them to one reader. Nobody
// waits for the reader: what it leaves lying beyond a bound is dropped, and counted. Closed, it
// costs one relaxed load a batch. Thread-safe.
class EventTap {
 public:
  bool open() const { return open_.load(std::memory_order_relaxed); }
  // Batches that begin from now on are kept, up to so many bytes.
  void open(std::size_t max_bytes);
  void close();  // and lets go of what was kept

  // From a writer, before it offers the batch to the publisher.
  void push(TappedBatch batch);
  // From the publisher: positions have moved.
  void published() {
    if (waiting_.load(std::memory_order_relaxed)) bell_.ring();
  }

  // ---- the reader's ----
  struct Taken {
    std::vector<TappedBatch> batches;  // a partition's in order
    std::uint64_t missed = 0;          // events dropped since the last call
  };
  Taken take(const Publisher& publisher);  // what is visible
  // Until there may be something to take, or ring().
  void wait(std::chrono::milliseconds at_most) { bell_.wait(at_most); }
  void ring() { bell_.ring(); }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> waiting_{false};  // batches_ or missed_ is not empty
  Bell bell_;
  std::mutex mutex_;
  std::size_t max_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::vector<TappedBatch> batches_;
  std::uint64_t missed_ = 0;
};

}  // namespace millrace::processors
