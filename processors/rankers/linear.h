#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// EASE (training/linear_model.h) for the profile of this instant: the score of item j is the sum
// over the person's last RankingOptions::linear_profile positives i of profile_weight(i) * B_ij.
// Parts are named after the three strongest of those, then "others"; all are multiples of 2^-30.
// What the person has dealt with is left out. Without a model, or a positive that it knows:
// trending, then popular, with score 0, as the level says.
Ranked rank_linear(const Query& query, const ReadState& state);

}  // namespace millrace::processors
