#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// The rankers that read a list from its top, for everybody alike: within the query's kind and
// category, what its filter lets through.

Ranked rank_popular(const Query& query, const ReadState& state);  // seed 001; parts rating, watched
Ranked rank_top_rated(const Query& query, const ReadState& state);     // average of 3.0 or more
Ranked rank_most_watched(const Query& query, const ReadState& state);  // watchers
Ranked rank_trending(const Query& query, const ReadState& state);  // short decayed weight at `now`
Ranked rank_recent(const Query& query, const ReadState& state);    // milliseconds of appearing

}  // namespace millrace::processors
