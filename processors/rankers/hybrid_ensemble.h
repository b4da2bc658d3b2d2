#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// The rankers of the list together. Each that is there, has weight (ReadState::blend) and answers
// under its own name is asked for RankingOptions::blend_candidates; what it gives an item is its
// score as a share of its best one's. So does "recent": log(1 + weight of the long half-life) among
// the items that trend and the popular ones. An item's score is the sum of weight * share.
// Parts are named after the rankers, multiples of 2^-32. What the person has dealt with is left
// out. Where all have nothing to say: trending, then popular, with score 0, as the level says.
Ranked rank_hybrid_ensemble(const Query& query, const ReadState& state);

}  // namespace millrace::processors
