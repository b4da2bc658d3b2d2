#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// How far a short decayed weight lies above what the long one lets expect, in standard deviations:
// z = (fast - E) / sqrt(E/2 + prior), E = slow * (short half-life / long half-life).
double rising_score(double fast, double slow, const RankingOptions& options);

// Those of the first `rising_candidates` of trending that lie above expectation, by z.
Ranked rank_rising(const Query& query, const ReadState& state);

}  // namespace millrace::processors
