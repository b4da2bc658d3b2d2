#pragma once
#include <bit>
#include <cstdint>
#include <vector>

namespace millrace::processors {

// A set of numbers below 2^32 - 1, for one request: open addressing, no deletion.
class NumberSet {
 public:
  explicit NumberSet(std::size_t expected = 8)
      : slots_(std::bit_ceil(expected * 2 + 2), kFree), mask_(slots_.size() - 1) {}

  // Answers false when it was there already.
  bool insert(std::uint32_t number) {
    std::size_t at = place(number);
    if (slots_[at] == number) return false;
    if ((size_ + 1) * 4 > slots_.size() * 3) {
      grow();
      at = place(number);
    }
    slots_[at] = number;
    ++size_;
    return true;
  }
  bool contains(std::uint32_t number) const { return slots_[place(number)] == number; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  std::size_t place(std::uint32_t number) const {
    std::size_t at = (number * 0x9e3779b97f4a7c15u >> 32) & mask_;
    while (slots_[at] != kFree && slots_[at] != number) at = (at + 1) & mask_;
    return at;
  }
  void grow() {
    std::vector<std::uint32_t> old(slots_.size() * 2, kFree);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const std::uint32_t number : old) {
      if (number != kFree) slots_[place(number)] = number;
    }
  }

  std::vector<std::uint32_t> slots_;
  std::size_t mask_;
  std::size_t size_ = 0;
};

}  // namespace millrace::processors
