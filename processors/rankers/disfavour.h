#pragma once
#include <cstdint>
#include <unordered_map>

#include "processors/rankers/ranker.h"

namespace millrace::processors {

// What a person is against, from their dislikes and skips.

// Skipped, and neither taken to nor disliked.
bool is_skipped(const state::ItemRow& row);
// False: none of the person's rows is.
bool has_skipped(const state::Person& person);

// By how many items of a category or tag the person's interest in it is less: each that they
// dislike counts one, of those that they skipped four count one.
class Disfavour {
 public:
  bool empty() const { return categories_.empty() && tags_.empty(); }
  std::uint32_t of_category(std::uint32_t name) const { return of(categories_, name); }
  std::uint32_t of_tag(std::uint32_t name) const { return of(tags_, name); }

 private:
  friend Disfavour disfavour_of(const KnownPerson& known, const ReadState& state);
  using Quarters = std::unordered_map<std::uint32_t, std::uint32_t>;
  static std::uint32_t of(const Quarters& quarters, std::uint32_t name) {
    const auto found = quarters.find(name);
    return found == quarters.end() ? 0 : found->second / 4;
  }
  Quarters categories_, tags_;
};
Disfavour disfavour_of(const KnownPerson& known, const ReadState& state);

}  // namespace millrace::processors
