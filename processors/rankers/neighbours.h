#pragma once
#include <functional>
#include <span>
#include <vector>

#include "processors/rankers/matcher.h"
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// A product's overlaps as the last training counted them, all of its people; may be empty.
using TrainedOverlaps = std::function<std::span<const Neighbour>(state::ItemIndex product)>;

// The k nearest neighbours of a product over the user × product matrix, by the cosine of their
// columns as scikit-learn has it (NearestNeighbors(metric='cosine'), https://scikit-learn.org):
// columns of 0 and 1 give
//   cos(i, j) = people of both / sqrt(people of i * people of j).
// Equal ones come in the natural order of their ids. Exact while the product's people have no more
// than `neighbour_cells` products together, counted person by person; beyond that the newest people
// stand for all, and what `trained` says is the least. Short of neighbours: products of the query's
// category, else of the product's own, as most_dealt_with() has them, with score 0. Nothing for an
// unknown product without a category. A query without a kind is about products.
Ranked rank_neighbours(const Query& query, const ReadState& state, const ItemId& product,
                       const TrainedOverlaps& trained);

// The best `limit` of the products in those categories that the matcher allows, by how many people
// have dealt with them.
std::vector<Scored> most_dealt_with(std::span<const std::uint32_t> categories, std::size_t limit,
                                    const Matcher& matcher, const ReadState& state);

}  // namespace millrace::processors
