#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "processors/rankers/blend_weights.h"
#include "processors/rankers/common.h"
#include "processors/rankers/number_set.h"
#include "processors/rankers/ranker.h"
#include "processors/views/positives.h"

namespace millrace::processors {

// What the personal rankers take from a person's rows, in one pass.
struct Taste {
  std::vector<Positive> positives;  // newest first
  struct Step {
    state::ItemIndex item = state::kNoItem;
    std::uint32_t order = 0;
    bool positive = false;
  };
  std::vector<Step> sequence;  // all of it but what is disliked now, newest first
  // What was disliked, or skipped and not taken to.
  struct Negative {
    state::ItemIndex item = state::kNoItem;
    UnixMillis time = 0;
    double weight = 0;  // below 0: of a positive's
  };
  std::vector<Negative> negatives;  // newest first
  NumberSet had;                    // whatever the person has dealt with: never recommended again
  Moment moment = Moment::kHere;
};
Taste taste_of(const KnownPerson& known, const Query& query, const RankingOptions& options);

// A request of a person, as the rankers see it that go by their taste. `query` and `state` outlive
// it.
class Personal {
 public:
  Personal(const Query& query, const ReadState& state);

  bool nothing() const { return nothing_; }  // no item can be an answer
  bool known() const { return who_.known != nullptr; }
  const Matcher& matcher() const { return matcher_; }
  const Taste& taste() const { return taste_; }  // a stranger's is empty
  // What the query allows and the person has not dealt with.
  bool allows(state::ItemIndex item) const {
    return !taste_.had.contains(item) && matcher_.allows(item);
  }
  // As fill_up() has it.
  Ranked answer(std::vector<Scored> found, std::string_view algorithm) const;

 private:
  const Query& query_;
  const Matcher matcher_;
  const Who who_;
  const bool nothing_;
  const Taste taste_;
};

// What an item of a person's past weighs at an age (0: the newest): exp(-age / recency) and a floor
// that the moment sets, 1 in the past; a multiple of 2^-10.
double profile_weight(std::size_t age, double recency, Moment moment,
                      const RankingOptions& options);

// To a multiple of 2^-10.
double round_to_step(double weight);

// What one of a person's items adds to an item's score.
struct Contribution {
  state::ItemIndex source = state::kNoItem;
  double value = 0;
};
// Parts: the three strongest sources by id, the rest together as "others". Exact where the score
// and all values are multiples of one power of two.
void explain_sources(Scored& scored, std::vector<Contribution> all, const ReadState& state);

// The `limit` best items of positive score that `allowed` lets through; `scores` by item.
template <class Allowed>
std::vector<Scored> best_of(const std::vector<double>& scores, std::size_t limit,
                            const state::CatalogView& catalog, Allowed&& allowed) {
  Best best(limit, catalog, allowed);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > 0) best.offer(static_cast<state::ItemIndex>(i), scores[i]);
  }
  return std::move(best).take();
}

NumberSet items_in(const std::vector<Scored>& items, std::size_t limit);

}  // namespace millrace::processors
