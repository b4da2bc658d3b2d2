#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "processors/rankers/blend_weights.h"
#include "processors/rankers/hybrid_ensemble.h"

namespace millrace::processors {

// The weights of the ensemble's parts, learned from one prediction after the other, for each
// segment and moment on its own. How likely it is that the person takes to an item, of all that the
// parts named, is a softmax of kSharpness * sum of weight * share (conditional logit; McFadden
// 1974), whose likelihood the weights, as shares of their sum, follow by exponentiated gradient
// steps (Kivinen and Warmuth, "Exponentiated gradient versus gradient descent for linear
// predictors", 1997) that shrink with the square root of the number of predictions. They begin at
// BlendWeights::chosen(), but no part below kLeast of the sum, so that each may be learned; none
// gets above kMost times what it began at, nor below kLeast. Not thread-safe.
class BlendLearner {
 public:
  BlendLearner();

  // What came of a prediction. An item that no part named teaches nothing, and parts that named
  // nothing keep together what they weigh.
  void learn(const BlendShares& shares, state::ItemIndex took_to);

  // Rows that rest on fewer than kFewest predictions are as chosen.
  BlendWeights weights() const;
  std::uint64_t predictions(Segment segment, Moment moment) const;
  // Goes on from weights that were learned before.
  void restore(Segment segment, Moment moment, const BlendWeights::Row& weights,
               std::uint64_t predictions);

  static constexpr std::uint64_t kFewest = 50;

 private:
  using Vector = std::array<double, kBlendPartCount>;  // by part
  struct Row {
    Vector first{};    // shares of the sum that it began at
    Vector weights{};  // the same, as learned
    double sum = 0;    // as chosen
    std::uint64_t predictions = 0;
  };
  static Vector gradient(const BlendShares& shares, state::ItemIndex took_to,
                         const Vector& weights);
  static void bound(Row& row);

  std::array<std::array<Row, kMoments>, kSegments> rows_;
};

// The most that a weight of one differs from the other's, as a share of its row's sum.
double largest_change(const BlendWeights& one, const BlendWeights& other);

}  // namespace millrace::processors
