#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// The feed of seed 000 in its four stages: the person's interests, up to `feed_candidates` of
// interest, trend and recency, the weighted sum (parts category, tags, engagement, trend, random),
// the best of them. What a person has seen is not left out.
Ranked rank_feed(const Query& query, const ReadState& state);

}  // namespace millrace::processors
