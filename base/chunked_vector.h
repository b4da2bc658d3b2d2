#pragma once
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

namespace millrace {

// An array that grows at its end and never moves what it holds: one writer (or a lock around
// writers), any number of readers without a lock. Elements below size() are visible to readers; a
// reader may change an element only as the element type itself allows (atomics).
template <class T, std::size_t kChunk = 1024, std::size_t kMaxChunks = 65536>
class ChunkedVector {
 public:
  ChunkedVector() : chunks_(std::make_unique<Table>()) {}
  ~ChunkedVector() {
    for (auto& slot : *chunks_) delete slot.load(std::memory_order_relaxed);
  }
  ChunkedVector(const ChunkedVector&) = delete;
  ChunkedVector& operator=(const ChunkedVector&) = delete;

  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  static constexpr std::size_t capacity() { return kChunk * kMaxChunks; }

  T& operator[](std::size_t i) { return (*chunk(i))[i % kChunk]; }
  const T& operator[](std::size_t i) const { return (*chunk(i))[i % kChunk]; }

  // Writer only.
  void push_back(T value) {
    const std::size_t i = size_.load(std::memory_order_relaxed);
    reserve_chunk(i);
    (*chunk(i))[i % kChunk] = std::move(value);
    size_.store(i + 1, std::memory_order_release);
  }

  // Writer only: grows to `count` value-initialised elements.
  void grow_to(std::size_t count) {
    const std::size_t from = size_.load(std::memory_order_relaxed);
    if (count <= from) return;
    for (std::size_t i = from / kChunk; i <= (count - 1) / kChunk; ++i) reserve_chunk(i * kChunk);
    size_.store(count, std::memory_order_release);
  }

 private:
  using Chunk = std::array<T, kChunk>;
  using Table = std::array<std::atomic<Chunk*>, kMaxChunks>;

  Chunk* chunk(std::size_t i) const {
    return (*chunks_)[i / kChunk].load(std::memory_order_acquire);
  }
  void reserve_chunk(std::size_t i) {
    auto& slot = (*chunks_)[i / kChunk];
    if (slot.load(std::memory_order_relaxed) == nullptr)
      slot.store(new Chunk{}, std::memory_order_release);
  }

  std::unique_ptr<Table> chunks_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace millrace
