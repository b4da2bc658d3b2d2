#include "processors/training/item_gram.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::processors {

ItemGram::ItemGram(std::vector<state::ItemIndex> items, double decay)
    : items_(std::move(items)), decays_(decay > 0), lower_(items_.size() * items_.size()) {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    place_.emplace(items_[i], static_cast<std::uint32_t>(i));
  }
  for (int distance = 0; decays_; ++distance) {
    const double weight = std::round(kUnit * std::exp(-distance / decay));
    if (weight == 0) break;
    weights_.push_back(weight);
  }
}

void ItemGram::add(std::span<const state::ItemIndex> positives) {
  places_.clear();
  at_.clear();
  for (std::size_t i = 0; i < positives.size(); ++i) {
    const auto found = place_.find(positives[i]);
    if (found == place_.end()) continue;
    places_.push_back(found->second);
    at_.push_back(static_cast<std::uint32_t>(i));
  }
  const std::size_t n = size();
  for (std::size_t a = 0; a < places_.size(); ++a) {
    for (std::size_t b = a; b < places_.size(); ++b) {
      const std::uint32_t distance = at_[b] - at_[a];
      if (decays_ && distance >= weights_.size()) break;
      const auto [column, row] = std::minmax(places_[a], places_[b]);
      lower_[column * n + row] += decays_ ? weights_[distance] : kUnit;
    }
  }
}

}  // namespace millrace::processors
