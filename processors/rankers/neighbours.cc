#include "processors/rankers/neighbours.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

std::vector<Scored> nearest(state::ItemIndex product, const Query& query, const Matcher& matcher,
                            const ReadState& state, const TrainedOverlaps& trained) {
  const auto& matrix = *state.matrix;
  auto overlap = matrix.overlap(product, state.options.neighbour_cells);
  double scale = 1;
  std::unordered_map<state::ItemIndex, std::uint32_t> least;
  if (overlap.looked_at < overlap.people) {
    scale = static_cast<double>(overlap.people) / overlap.looked_at;
    if (trained) {
      for (const auto& [item, count] : trained(product)) least.emplace(item, count);
    }
  }
  Best best(query.limit, *state.catalog,
            [&](state::ItemIndex item) { return item != product && matcher.allows(item); });
  const auto offer = [&](state::ItemIndex item, double both) {
    const double people = static_cast<double>(overlap.people) * matrix.people(item);
    if (people > 0) best.offer(item, both / std::sqrt(people));
  };
  for (const auto& [item, count] : overlap.others) {
    double both = count * scale;
    if (const auto known = least.find(item); known != least.end()) {
      both = std::max(both, static_cast<double>(known->second));
      least.erase(known);
    }
    offer(item, both);
  }
  for (const auto& [item, count] : least) offer(item, count);
  return std::move(best).take();
}

}  // namespace

std::vector<Scored> most_dealt_with(std::span<const std::uint32_t> categories, std::size_t limit,
                                    const Matcher& matcher, const ReadState& state) {
  Best best(limit, *state.catalog, [&](state::ItemIndex item) { return matcher.allows(item); });
  NumberSet taken;
  for (const std::uint32_t category : categories) {
    state.lists->list(Metric::kRecent, matcher.kind(), category)
        .for_each([&](const RankedEntry& entry) {
          const bool fresh = categories.size() == 1 || taken.insert(entry.item);
          if (fresh) best.offer(entry.item, state.matrix->people(entry.item));
          return true;
        });
  }
  return std::move(best).take();
}

Ranked rank_neighbours(const Query& asked, const ReadState& state, const ItemId& product,
                       const TrainedOverlaps& trained) {
  Ranked out{{}, "popular", "popular"};
  Query query = asked;
  query.exclude.push_back(product);
  if (query.kind.empty() && query.filter.kind.empty()) query.kind = kProductKind;
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0 || state.matrix == nullptr) return out;
  const auto index = state.items->find(product.value);
  if (index) out.items = nearest(*index, query, matcher, state, trained);
  if (!out.items.empty()) out.level = out.algorithm = "neighbours";

  std::vector<std::uint32_t> categories;
  const state::CatalogItem* item = index ? state.catalog->find(*index) : nullptr;
  if (matcher.category() != state::kAnyName) {
    categories = {matcher.category()};
  } else if (item != nullptr) {
    categories = item->categories;
  }
  if (out.items.size() < query.limit) {
    NumberSet taken(query.limit);
    for (const Scored& scored : out.items) taken.insert(scored.item);
    for (const Scored& scored : most_dealt_with(categories, 2 * query.limit, matcher, state)) {
      if (out.items.size() == query.limit) break;
      if (taken.insert(scored.item)) out.items.push_back({scored.item, 0, {}});
    }
  }
  if (query.explain) {
    for (Scored& scored : out.items) {
      scored.parts = {{scored.score > 0 ? "cosine" : "popular", scored.score}};
    }
  }
  return out;
}

}  // namespace millrace::processors
