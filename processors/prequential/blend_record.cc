#include "processors/prequential/blend_record.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace millrace::processors {
namespace {

constexpr double kMillion = 1e6;
constexpr std::string_view kSegmentNames[kSegments] = {"new", "light", "heavy"};
constexpr std::string_view kMomentNames[kMoments] = {"here", "away", "past"};

// `chosen`, but for what the record says.
BlendWeights::Row row_of(const Blend::Row& row, BlendWeights::Row chosen) {
  for (const auto& [part, millionths] : row.weights) {
    const auto* known = std::find_if(std::begin(kBlendParts), std::end(kBlendParts),
                                     [&](const BlendPart& one) { return one.name == part; });
    if (known != std::end(kBlendParts)) {
      chosen.*known->weight = static_cast<double>(millionths) / kMillion;
    }
  }
  return chosen;
}

template <class Visit>
void for_each_row(const Blend& blend, Visit&& visit) {
  const BlendWeights chosen;
  for (const auto& row : blend.rows) {
    if (row.segment >= kSegments || row.moment >= kMoments) continue;
    const auto segment = static_cast<Segment>(row.segment);
    const auto moment = static_cast<Moment>(row.moment);
    visit(segment, moment, row_of(row, chosen.row(segment, moment)), row.predictions);
  }
}

}  // namespace

Blend blend_of(const BlendLearner& learner) {
  Blend blend;
  const auto weights = learner.weights();
  for (std::uint32_t s = 0; s < kSegments; ++s) {
    for (std::uint32_t m = 0; m < kMoments; ++m) {
      const auto segment = static_cast<Segment>(s);
      const auto moment = static_cast<Moment>(m);
      Blend::Row row{s, m, learner.predictions(segment, moment), {}};
      for (const auto& part : kBlendParts) {
        const double weight = weights.row(segment, moment).*part.weight;
        row.weights.push_back(
            {std::string(part.name), static_cast<std::uint64_t>(std::llround(weight * kMillion))});
      }
      blend.rows.push_back(std::move(row));
    }
  }
  return blend;
}

BlendWeights weights_of(const Blend& blend) {
  BlendWeights out;
  for_each_row(blend, [&](Segment segment, Moment moment, const BlendWeights::Row& weights,
                          std::uint64_t) { out.row(segment, moment) = weights; });
  return out;
}

BlendLearner learner_of(const Blend& blend) {
  BlendLearner learner;
  for_each_row(blend, [&](Segment segment, Moment moment, const BlendWeights::Row& weights,
                          std::uint64_t predictions) {
    learner.restore(segment, moment, weights, predictions);
  });
  return learner;
}

std::string_view segment_name(Segment segment) {
  return kSegmentNames[static_cast<std::size_t>(segment)];
}

std::string_view moment_name(Moment moment) {
  return kMomentNames[static_cast<std::size_t>(moment)];
}

}  // namespace millrace::processors
