#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// Item-item collaborative filtering on co-occurrence: sim(i, j) = c_ij / (sqrt(n_i n_j) + shrink),
// an item's score the sum of profile_weight(i) * sim(i, j), rounded, over the person's last
// RankingOptions::similarity_sources items i, with their rows as Cooccurrence::strongest() has
// them; those that are no positives weigh similarity_low of it (having met them still says much).
// Parts are named after those (their ids; the three strongest, then "others"). All are multiples of
// 2^-32, so that sums are exact. What the person has dealt with is left out. Short of neighbours:
// trending, then popular, with score 0; with none at all the level says so.
Ranked rank_collaborative(const Query& query, const ReadState& state);

// Items like `item`, by the same similarity; short of them, popular ones of its categories, then of
// its kind, with score 0. Of the item's kind where the query names none. Empty for an unknown item.
Ranked rank_similar(const Query& query, const ReadState& state, const ItemId& item);

double similarity(std::uint32_t both, std::uint32_t people_i, std::uint32_t people_j,
                  double shrink);

}  // namespace millrace::processors
