#pragma once
#include "processors/rankers/list.h"

namespace millrace::processors {

// A ranker's answer as people get it: the ranker, and what stands around it. A ranker that has only
// some of the items (Ranker::partial) is filled up with popular ones, of score 0, to the limit or
// the last that the query allows and the person has not dealt with; where it has none of its own
// the level says that they are the popular ones. Then, in this order:
//
// 1. skips: what the person has skipped themselves times RankingOptions::skipped_again ("skipped");
// 2. rotation: an item shown n times without being acted on, n >= rotate_after, times
//    rotate_factor^(n - rotate_after + 1) until rotate_recover_ms after the last ("shown"). Of
//    hybrid_ensemble unless the query says otherwise, of others where it does;
// 3. rules in force (schemas/ranking_rule.h), by id: boosts, then burials, which leave a score of 0
//    and go behind all others;
// 4. quotas: what is one too many goes, the next best take its place;
// 5. diversity d > 0: by maximal marginal relevance (Carbonell & Goldstein, 1998): one after the
//    other the item of highest score - d * (best score, 1 where all are 0) * (its greatest Jaccard
//    similarity of categories and tags to what is above it);
// 6. pins: by place, then id, whatever the quotas say; what the query or the person
//    rules out is not pinned.
//
// Each that changes a score is a part of it, named as above, "rule:<id>" or "diversity"; parts
// still add up exactly. Without pins items are in the order of their scores. Where any of it
// applies the ranker is asked for arranged_candidates, and for more, up to most_arranged, where
// quotas leave too few. The same input gives the same output.
Ranked rank_arranged(const Ranker& ranker, const Query& query, const ReadState& state);

}  // namespace millrace::processors
