#include "schemas/interaction_table.h"

#include <algorithm>

namespace millrace {
namespace {

constexpr auto number(BuiltIn type) { return static_cast<std::uint32_t>(type); }

// THE interaction table: a new type that differs only by weight is one row here.
std::vector<InteractionType> built_in_rows() {
  return {
      {number(BuiltIn::kView), "view", 1},
      {number(BuiltIn::kProductView), "product_view", 1},
      {number(BuiltIn::kImpression), "impression", 0},
      {number(BuiltIn::kClick), "click", 2},
      {number(BuiltIn::kLike), "like", 4},
      {number(BuiltIn::kUnlike), "unlike", -4},
      {number(BuiltIn::kDislike), "dislike", -4},
      {number(BuiltIn::kSave), "save", 5},
      {number(BuiltIn::kUnsave), "unsave", -5},
      {number(BuiltIn::kShare), "share", 6},
      {number(BuiltIn::kSkip), "skip", -1},
      {number(BuiltIn::kPlay), "play", 2},
      {number(BuiltIn::kComplete), "complete", 4},
      {number(BuiltIn::kRate), "rate", 3},
      {number(BuiltIn::kUnrate), "unrate", -3},
      {number(BuiltIn::kWatch), "watch", 3},
      {number(BuiltIn::kUnwatch), "unwatch", -3},
      {number(BuiltIn::kCart), "cart", 6},
      {number(BuiltIn::kPurchase), "purchase", 10},
  };
}

}  // namespace

InteractionTable::InteractionTable(
    const std::vector<std::pair<std::string, std::int32_t>>& overrides,
    const std::vector<InteractionTypeName>& known)
    : rows_(built_in_rows()) {
  std::uint32_t next = kFirstCustomType;
  for (const auto& [num, name] : known) {
    if (num < kFirstCustomType) continue;
    rows_.push_back({num, name, 0});
    next = std::max(next, num + 1);
  }
  for (const auto& [name, weight] : overrides) {
    const auto row =
        std::find_if(rows_.begin(), rows_.end(), [&](const auto& r) { return r.name == name; });
    if (row != rows_.end()) {
      row->weight = weight;
    } else {
      rows_.push_back({next++, name, weight});
    }
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
}

const InteractionType* InteractionTable::find(std::string_view name) const {
  for (const auto& row : rows_) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const InteractionType* InteractionTable::find(std::uint32_t num) const {
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), num,
                                    [](const auto& r, std::uint32_t n) { return r.number < n; });
  return row != rows_.end() && row->number == num ? &*row : nullptr;
}

std::vector<InteractionTypeName> InteractionTable::names() const {
  std::vector<InteractionTypeName> names;
  for (const auto& row : rows_) names.push_back({row.number, row.name});
  return names;
}

}  // namespace millrace
