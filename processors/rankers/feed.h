#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// The feed of seed 000 in its four stages.
//
// 1. Interests: categories and tags of the items that the person likes now, has saved, or has
//    viewed as a product, each weighing the number of such items less what disfavour.h says.
// 2. Candidates, n = feed_candidates (100) or the limit if that is higher; what is in already is
//    passed over. n/2 by interest: of the ten strongest categories (then by name) each its share,
//    rounded up, and what is then left from the strongest on, each by popularity, then engagement,
//    then id. n/4 more by trend, n/4 more of the newest. Where that is less than n/2 or the limit:
//    popular ones.
// 3. Scores: the parts category, tags, engagement, trend and random. Random is the upper 53 bits
//    of mix(mix(mix(seed) ^ fnv(who)) ^ fnv(id)) as a fraction of one, times feed_random: mix is
//    splitmix64, fnv FNV-1a, `who` the user, else the session.
// 4. By score, equal ones by id. With Query::in_a_row no more than so many of one parent (a
//    product's videos) follow one another.
//
// With Query::rest_ms what the person viewed, played or watched, and dealt with since, is no
// candidate.
Ranked rank_feed(const Query& query, const ReadState& state);

}  // namespace millrace::processors
