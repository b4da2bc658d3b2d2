#pragma once
#include <cstdint>
#include <vector>

#include "processors/rankers/ranker.h"

namespace millrace::processors {

// What the parts of the ensemble (kBlendParts) say to a query, before they are weighed.
struct BlendShares {
  struct Share {
    state::ItemIndex item = state::kNoItem;
    std::uint8_t part = 0;  // place in kBlendParts
    double value = 0;       // the item's score as a share of the part's best one's, lifted
  };
  Segment segment = Segment::kNew;
  Moment moment = Moment::kHere;
  std::vector<Share> shares;  // part by part in the list's order, each best first
};

// Of every part, whatever it weighs. Empty where nothing is known of the person.
BlendShares blend_shares(const Query& query, const ReadState& state);

// The rankers of the list together. Each that is there, has weight (ReadState::blend) and answers
// under its own name is asked for RankingOptions::blend_candidates; what it gives an item is its
// score as a share of its best one's. So does "recent": events lately (RecentPopularity), of what
// the others found, of what trends and of what is popular. A share, but of "recent", is multiplied
// by 1 + growth weight * (g - 1), where g = (events lately / share of the log that is lately +
// 10/3) / (people + 2), at most 6.7: above 1 for an item that rises. An item's score is the sum of
// weight * share.
// Parts are named after the rankers, multiples of 2^-32. What the person has dealt with is left
// out. Where all have nothing to say: trending, then popular, with score 0, as the level says.
Ranked rank_hybrid_ensemble(const Query& query, const ReadState& state);

// The same from shares of every part that were taken before: at most `limit` items of positive
// score, best first, as Ranked::items has them without what fills them up.
std::vector<Scored> weighed(const BlendShares& shares, const BlendWeights::Row& weights,
                            std::size_t limit, const state::CatalogView& catalog);

}  // namespace millrace::processors
