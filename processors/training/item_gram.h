#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "state/item_index.h"

namespace millrace::processors {

// The Gram matrix of people's positives: for items i and j, the sum over the people who took to
// both of w(d), where d is how many positives apart they lie in the person's sequence. w(d) is
// round(256 * exp(-d / decay)), an integer, so that the sums do not depend on order; with decay 0
// every pair weighs 256, and this is 256 X'X. On the diagonal: 256 times the item's people.
//
// Dense: 8 n^2 bytes for n items. One thread.
class ItemGram {
 public:
  static constexpr double kUnit = 256;

  ItemGram(std::vector<state::ItemIndex> items, double decay);

  // A person's positives, oldest first; those of other items keep their places.
  void add(std::span<const state::ItemIndex> positives);

  const std::vector<state::ItemIndex>& items() const { return items_; }
  std::size_t size() const { return items_.size(); }
  std::int64_t sum(std::size_t i, std::size_t j) const {
    return static_cast<std::int64_t>(lower_[i < j ? i * size() + j : j * size() + i]);
  }
  // By columns; what lies above the diagonal is 0. Integers, exact up to 2^53.
  std::vector<double> take_lower() && { return std::move(lower_); }

 private:
  std::vector<state::ItemIndex> items_;
  std::unordered_map<state::ItemIndex, std::uint32_t> place_;
  std::vector<double> weights_;  // by distance, as far as they are not 0
  bool decays_;
  std::vector<double> lower_;
  std::vector<std::uint32_t> places_, at_;  // of the person at hand
};

}  // namespace millrace::processors
